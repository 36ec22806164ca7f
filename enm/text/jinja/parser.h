// Tokens to nodes, by Jinja's grammar.
#pragma once

#include "enm/text/jinja/heap.h"
#include "enm/text/jinja/syntax.h"

namespace enm::text::jinja {

/// The statements of a template, in the heap; `source` outlives them. The heap holds what failed.
std::span<Node*> parse(Heap& heap, std::string_view source);

}  // namespace enm::text::jinja
