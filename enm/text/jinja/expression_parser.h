// The part of the parser that reads expressions.
#pragma once

#include "enm/text/jinja/heap.h"
#include "enm/text/jinja/lexer.h"
#include "enm/text/jinja/syntax.h"

namespace enm::text::jinja {

class ExpressionParser {
 public:
  ExpressionParser(Heap& heap, std::string_view source)
      : heap_(heap), tokens_(tokenize(heap, source)) {}

 protected:
  using Type = Token::Type;

  /// kEnd once something failed, so that every loop ends.
  const Token& peek(size_t ahead = 0) const;
  Token next();
  bool is(std::string_view op) const { return peek().type == Type::kOperator && peek().text == op; }
  bool is_name(std::string_view name, size_t ahead = 0) const {
    return peek(ahead).type == Type::kName && peek(ahead).text == name;
  }
  bool take(std::string_view op);
  bool take(Type type);
  bool take_name(std::string_view name);
  Token expect(Type type);
  void expect(std::string_view op);
  void expect_name(std::string_view name);
  void fail_at(std::string_view what, std::string_view more);

  Node* make(Node::Kind kind, std::initializer_list<Node*> parts = {});
  std::span<Node*> nodes(const std::vector<Node*>& list) {
    return heap_.copy(std::span<Node* const>(list));
  }

  /// An expression, or several with commas between them: a tuple.
  Node* tuple(bool conditions = true, bool may_be_empty = false);
  Node* expression(bool conditions = true);
  /// What a value is assigned to: a name, a namespace's attribute, or several.
  Node* target();
  /// The filters behind a subject, each with its |.
  Node* filters(Node* subject);
  /// One, behind its |.
  Node* filter(Node* subject);

  Heap& heap_;
  uint8_t uses_ = 0;  // Node::Uses of the names that were read

 private:
  struct Level;
  Node* condition(bool conditions);
  Node* binary(int level);
  Node* comparison();
  Node* unary(bool with_filters);
  Node* primary();
  Node* name();
  Node* string();
  Node* sequence();
  Node* dictionary();
  Node* postfix(Node* node);
  Node* with_filters(Node* node);
  Node* subscript(Node* object);
  Node* slice_part(std::string_view end);
  Node* test(Node* subject);
  void arguments(std::vector<Node*>& out);
  Node* argument();
  Node* one_target();
  bool ends_tuple() const;

  const std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace enm::text::jinja
