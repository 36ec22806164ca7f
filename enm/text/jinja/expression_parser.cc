#include "enm/text/jinja/expression_parser.h"

namespace enm::text::jinja {

using Is = Node::Kind;

const Token& ExpressionParser::peek(size_t ahead) const {
  return heap_.failed() || at_ + ahead >= tokens_.size() ? nothing_ : tokens_[at_ + ahead];
}

bool ExpressionParser::is(Type type, const char* text, size_t ahead) const {
  return peek(ahead).type == type && peek(ahead).text == text;
}

Token ExpressionParser::next() {
  const Token token = peek();
  heap_.line = token.line;
  ++at_;
  return token;
}

bool ExpressionParser::take(Type type) {
  if (peek().type != type) return false;
  next();
  return true;
}

bool ExpressionParser::take(const char* op) { return is(op) && take(Type::kOperator); }
bool ExpressionParser::take_name(const char* name) { return is_name(name) && take(Type::kName); }

Token ExpressionParser::expect(Type type) {
  if (peek().type != type) fail_at(type == Type::kName ? "expected a name" : "expected an end");
  return next();
}

void ExpressionParser::expect(const char* op) {
  if (!take(op)) fail_at("expected ", op);
}

void ExpressionParser::expect_name(const char* name) {
  if (!take_name(name)) fail_at("expected ", name);
}

void ExpressionParser::fail_at(const char* what, std::string_view more) {
  if (peek().line > 0) heap_.line = peek().line;
  const std::string_view got = peek().text;
  heap_.fail(what, got.empty() ? std::string(more) : cat(more, ", got ", quoted(got, 40)));
}

Node* ExpressionParser::make(Is kind, std::initializer_list<Node*> parts) {
  Node* node = heap_.make<Node>();
  node->kind = kind;
  node->line = heap_.line;
  node->literal = Value::none();
  node->parts = nodes(parts);
  return node;
}

std::span<Node*> ExpressionParser::nodes(std::initializer_list<Node*> parts) {
  List<Node*> list(heap_);
  for (Node* part : parts) list.add(part);
  return list.span();
}

Node* ExpressionParser::literal(Value value) {
  Node* node = make(Is::kLiteral);
  node->literal = value;
  return node;
}

bool ExpressionParser::ends_tuple() const {
  const Type type = peek().type;
  return type == Type::kPrintEnd || type == Type::kBlockEnd || type == Type::kEnd || is(")");
}

Node* ExpressionParser::tuple(bool conditions, bool may_be_empty) {
  List<Node*> items(heap_);
  bool is_tuple = false;
  while (!ends_tuple() && (conditions || !is_name("recursive"))) {
    items.add(expression(conditions));
    if (!take(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return items[0];
  if (items.empty() && !may_be_empty) fail_at("expected an expression");
  Node* node = make(Is::kTuple);
  node->parts = items.span();
  return node;
}

Node* ExpressionParser::expression(bool conditions) {
  if (!heap_.enter()) return make(Is::kLiteral);
  Node* node = condition(conditions);
  heap_.leave();
  return node;
}

Node* ExpressionParser::condition(bool conditions) {
  Node* node = binary(0);
  while (conditions && take_name("if")) {
    Node* when = binary(0);
    node = take_name("else") ? make(Is::kCondition, {node, when, expression()})
                             : make(Is::kCondition, {node, when});
  }
  return node;
}

// From the weakest binding to the strongest; `not` and comparisons stand between 1 and 2.
Node* ExpressionParser::binary(int level) {
  struct Operator {
    const char* text;
    int8_t level;
    char op;
  };
  static constexpr Operator kOperators[] = {
      {"+", 2, '+'}, {"-", 2, '-'}, {"~", 3, '~'},  {"*", 4, '*'},
      {"/", 4, '/'}, {"%", 4, '%'}, {"//", 4, '|'}, {"**", 5, '^'},
  };
  if (level == 2 + 4) return unary(true);
  const auto operand = [&] { return level == 1 ? comparison() : binary(level + 1); };
  Node* left = operand();
  if (level < 2) {
    const char* word = level == 0 ? "or" : "and";
    while (take_name(word)) left = make(level == 0 ? Is::kOr : Is::kAnd, {left, operand()});
    return left;
  }
  if (level == 3) {
    List<Node*> parts(heap_);
    parts.add(left);
    while (take("~")) parts.add(operand());
    if (parts.size() == 1) return left;
    Node* node = make(Is::kConcat);
    node->parts = parts.span();
    return node;
  }
  for (;;) {
    char op = 0;
    for (const Operator& one : kOperators) {
      if (one.level == level && take(one.text)) op = one.op;
      if (op != 0) break;
    }
    if (op == 0) return left;
    left = make(Is::kBinary, {left, operand()});
    left->op = op;
  }
}

Node* ExpressionParser::comparison() {
  if (is_name("not")) {
    if (!heap_.enter()) return make(Is::kLiteral);
    next();
    Node* node = make(Is::kNot, {comparison()});
    heap_.leave();
    return node;
  }
  constexpr std::pair<const char*, char> kOperators[] = {{"==", '='}, {"!=", '!'}, {"<", '<'},
                                                         {">", '>'},  {"<=", 'l'}, {">=", 'g'}};
  List<Node*> parts(heap_);
  parts.add(binary(2));
  for (;;) {
    char op = 0;
    for (const auto& [text, letter] : kOperators) {
      if (op == 0 && take(text)) op = letter;
    }
    if (op == 0 && take_name("in")) op = 'i';
    if (op == 0 && is_name("not") && is_name("in", 1)) {
      next();
      next();
      op = 'n';
    }
    if (op == 0) break;
    Node* operand = make(Is::kOperand, {binary(2)});
    operand->op = op;
    parts.add(operand);
  }
  if (parts.size() == 1) return parts[0];
  Node* node = make(Is::kCompare);
  node->parts = parts.span();
  return node;
}

Node* ExpressionParser::unary(bool filters) {
  if (!heap_.enter()) return make(Is::kLiteral);
  Node* node = nullptr;
  if (take("-")) {
    node = make(Is::kNegative, {unary(false)});
  } else if (take("+")) {
    node = make(Is::kPositive, {unary(false)});
  } else {
    node = primary();
  }
  node = postfix(node);
  if (filters) node = with_filters(node);
  heap_.leave();
  return node;
}

Node* ExpressionParser::primary() {
  if (peek().type == Type::kName) return name();
  if (peek().type == Type::kString) return string();
  if (peek().type == Type::kNumber) {
    return literal(next().number);
  }
  if (take("(")) {
    Node* node = tuple(true, true);
    expect(")");
    return node;
  }
  if (take("[")) return sequence();
  if (take("{")) return dictionary();
  fail_at("expected an expression");
  return make(Is::kLiteral);
}

Node* ExpressionParser::name() {
  const std::string_view text = next().text;
  if (text == "true" || text == "True") return literal(Value::boolean(true));
  if (text == "false" || text == "False") return literal(Value::boolean(false));
  if (text == "none" || text == "None") return literal(Value::none());
  if (text == "caller") uses_ |= Node::kCaller;
  if (text == "varargs") uses_ |= Node::kVarargs;
  if (text == "kwargs") uses_ |= Node::kKwargs;
  Node* node = make(Is::kName);
  node->name = text;
  return node;
}

Node* ExpressionParser::string() {
  Text all(heap_);
  while (peek().type == Type::kString) all.add(next().text);
  return literal(all.done());
}

Node* ExpressionParser::sequence() {
  Node* node = make(Is::kList);
  List<Node*> items(heap_);
  while (!heap_.failed() && !is("]")) {
    items.add(expression());
    if (!take(",")) break;
  }
  expect("]");
  node->parts = items.span();
  return node;
}

Node* ExpressionParser::dictionary() {
  Node* node = make(Is::kDict);
  List<Node*> items(heap_);
  while (!heap_.failed() && !is("}")) {
    items.add(expression());
    expect(":");
    items.add(expression());
    if (!take(",")) break;
  }
  expect("}");
  node->parts = items.span();
  return node;
}

Node* ExpressionParser::postfix(Node* node) {
  for (;;) {
    if (take(".")) {
      if (peek().type == Type::kNumber) {
        node = make(Is::kGetitem, {node, literal(next().number)});
      } else {
        node = make(Is::kGetattr, {node});
        node->name = expect(Type::kName).text;
      }
    } else if (take("[")) {
      node = subscript(node);
    } else if (is("(")) {
      node = call(node);
    } else {
      return node;
    }
  }
}

Node* ExpressionParser::call(Node* callee) {
  List<Node*> parts(heap_);
  parts.add(callee);
  arguments(parts);
  Node* node = make(Is::kCall);
  node->parts = parts.span();
  return node;
}

Node* ExpressionParser::with_filters(Node* node) {
  for (;;) {
    if (is("|")) {
      node = filters(node);
    } else if (take_name("is")) {
      node = test(node);
    } else if (is("(")) {
      node = call(node);
    } else {
      return node;
    }
  }
}

Node* ExpressionParser::slice_part(const char* end) {
  return is(":") || is(end) || is(",") ? make(Is::kLiteral) : expression();
}

Node* ExpressionParser::subscript(Node* object) {
  Node* begin = slice_part("]");
  Node* node = nullptr;
  if (take(":")) {
    Node* end = slice_part("]");
    Node* step = take(":") ? slice_part("]") : make(Is::kLiteral);
    node = make(Is::kSlice, {object, begin, end, step});
  } else {
    List<Node*> items(heap_);
    items.add(begin);
    while (take(",") && !is("]")) items.add(expression());
    if (items.size() > 1) {
      begin = make(Is::kTuple);
      begin->parts = items.span();
    }
    node = make(Is::kGetitem, {object, begin});
  }
  expect("]");
  return node;
}

Node* ExpressionParser::filters(Node* subject) {
  while (take("|")) subject = filter(subject);
  return subject;
}

Node* ExpressionParser::filter(Node* subject) {
  const std::string_view name = expect(Type::kName).text;
  List<Node*> parts(heap_);
  parts.add(subject);
  Node* node = make(Is::kFilter);
  node->name = name;
  if (is("(")) arguments(parts);
  node->parts = parts.span();
  return node;
}

Node* ExpressionParser::test(Node* subject) {
  const bool negated = take_name("not");
  Node* node = make(Is::kTest);
  node->name = expect(Type::kName).text;
  List<Node*> parts(heap_);
  parts.add(subject);
  const Type type = peek().type;
  const bool is_word = is_name("else") || is_name("or") || is_name("and");
  if (is_name("is")) fail_at("tests cannot be chained with is");
  if (is("(")) {
    arguments(parts);
  } else if ((type == Type::kName && !is_word) || type == Type::kString || type == Type::kNumber ||
             is("[") || is("{")) {
    parts.add(postfix(primary()));
  }
  node->parts = parts.span();
  return negated ? make(Is::kNot, {node}) : node;
}

void ExpressionParser::arguments(List<Node*>& out) {
  expect("(");
  while (!heap_.failed() && !is(")")) {
    out.add(argument());
    if (!take(",")) break;
  }
  expect(")");
}

Node* ExpressionParser::argument() {
  Node* node = nullptr;
  if (take("*")) {
    node = make(Is::kSpread, {expression()});
  } else if (take("**")) {
    node = make(Is::kSpread, {expression()});
    node->op = '*';
  } else if (peek().type == Type::kName && is("=", 1)) {
    const std::string_view name = next().text;
    next();
    node = make(Is::kKeyword, {expression()});
    node->name = name;
  } else {
    node = expression();
  }
  return node;
}

Node* ExpressionParser::one_target() {
  if (take("(")) {
    Node* node = target();
    expect(")");
    return node;
  }
  const Token token = expect(Type::kName);
  Node* node = make(Is::kName);
  node->name = token.text;
  if (take(".")) {
    node->kind = Is::kNamespaceTarget;
    node->literal = heap_.string(expect(Type::kName).text);
  }
  return node;
}

Node* ExpressionParser::target() {
  if (!heap_.enter()) return make(Is::kName);
  List<Node*> items(heap_);
  items.add(one_target());
  bool is_tuple = false;
  while (take(",")) {
    is_tuple = true;
    if (peek().type != Type::kName && !is("(")) break;
    if (is_name("in")) break;
    items.add(one_target());
  }
  heap_.leave();
  if (!is_tuple && items.size() == 1) return items[0];
  Node* node = make(Is::kTuple);
  node->parts = items.span();
  return node;
}

}  // namespace enm::text::jinja
