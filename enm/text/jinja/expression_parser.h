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
  bool is(const char* op, size_t ahead = 0) const { return is(Type::kOperator, op, ahead); }
  bool is_name(const char* name, size_t ahead = 0) const { return is(Type::kName, name, ahead); }
  bool is(Type type, const char* text, size_t ahead) const;
  bool take(const char* op);
  bool take(Type type);
  bool take_name(const char* name);
  Token expect(Type type);
  void expect(const char* op);
  void expect_name(const char* name);
  void fail_at(const char* what, std::string_view more = {});

  Node* make(Node::Kind kind, std::initializer_list<Node*> parts = {});
  Node* literal(Value value);
  std::span<Node*> nodes(std::initializer_list<Node*> parts);

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
  Node* call(Node* callee);
  Node* subscript(Node* object);
  Node* slice_part(const char* end);
  Node* test(Node* subject);
  void arguments(List<Node*>& out);
  Node* argument();
  Node* one_target();
  bool ends_tuple() const;

  const List<Token> tokens_;
  const Token nothing_;  // what stands behind the end
  size_t at_ = 0;
};

}  // namespace enm::text::jinja
