// What operators answer, by the words of their specifications: a node, its operands, and for each
// output %y the constant %y.is that it must be. Numbers are small enough to be worked out on paper.
#pragma once

#include <span>

namespace enm::ops {

using KnownAnswers = std::span<const char* const>;

KnownAnswers known_elementwise_answers();
KnownAnswers known_layout_answers();
KnownAnswers known_product_answers();

}  // namespace enm::ops
