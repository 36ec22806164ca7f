#include "enm/text/jinja/expression_parser.h"

namespace enm::text::jinja {

using Is = Node::Kind;

const Token& ExpressionParser::peek(size_t ahead) const {
  static constexpr Token kNothing;
  return heap_.failed() || at_ + ahead >= tokens_.size() ? kNothing : tokens_[at_ + ahead];
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

bool ExpressionParser::take(std::string_view op) { return is(op) && take(Type::kOperator); }
bool ExpressionParser::take_name(std::string_view name) {
  return is_name(name) && take(Type::kName);
}

Token ExpressionParser::expect(Type type) {
  if (peek().type != type) fail_at(type == Type::kName ? "expected a name" : "expected an end", "");
  return next();
}

void ExpressionParser::expect(std::string_view op) {
  if (!take(op)) fail_at("expected ", op);
}

void ExpressionParser::expect_name(std::string_view name) {
  if (!take_name(name)) fail_at("expected ", name);
}

void ExpressionParser::fail_at(std::string_view what, std::string_view more) {
  if (peek().line > 0) heap_.line = peek().line;
  const std::string_view got = peek().text;
  heap_.fail(what, more, got.empty() ? "" : cat(", got ", quoted(got, 40)));
}

Node* ExpressionParser::make(Is kind, std::initializer_list<Node*> parts) {
  heap_.take(sizeof(Node));
  Node* node = heap_.make<Node>();
  node->kind = kind;
  node->line = heap_.line;
  node->literal = Value::none();
  node->parts = heap_.copy(std::span<Node* const>(parts.begin(), parts.size()));
  return node;
}

bool ExpressionParser::ends_tuple() const {
  const Type type = peek().type;
  return type == Type::kPrintEnd || type == Type::kBlockEnd || type == Type::kEnd || is(")");
}

Node* ExpressionParser::tuple(bool conditions, bool may_be_empty) {
  std::vector<Node*> items;
  bool is_tuple = false;
  while (!ends_tuple() && (conditions || !is_name("recursive"))) {
    items.push_back(expression(conditions));
    if (!take(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return items[0];
  if (items.empty() && !may_be_empty) fail_at("expected an expression", "");
  Node* node = make(Is::kTuple);
  node->parts = nodes(items);
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
    std::string_view text;
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
    const std::string_view word = level == 0 ? "or" : "and";
    while (take_name(word)) left = make(level == 0 ? Is::kOr : Is::kAnd, {left, operand()});
    return left;
  }
  if (level == 3) {
    std::vector<Node*> parts = {left};
    while (take("~")) parts.push_back(operand());
    if (parts.size() == 1) return left;
    Node* node = make(Is::kConcat);
    node->parts = nodes(parts);
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
  constexpr std::pair<std::string_view, char> kOperators[] = {
      {"==", '='}, {"!=", '!'}, {"<", '<'}, {">", '>'}, {"<=", 'l'}, {">=", 'g'}};
  std::vector<Node*> parts = {binary(2)};
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
    parts.push_back(make(Is::kOperand, {binary(2)}));
    parts.back()->op = op;
  }
  if (parts.size() == 1) return parts[0];
  Node* node = make(Is::kCompare);
  node->parts = nodes(parts);
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
    const Value number = next().number;
    Node* node = make(Is::kLiteral);
    node->literal = number;
    return node;
  }
  if (take("(")) {
    Node* node = tuple(true, true);
    expect(")");
    return node;
  }
  if (take("[")) return sequence();
  if (take("{")) return dictionary();
  fail_at("expected an expression", "");
  return make(Is::kLiteral);
}

Node* ExpressionParser::name() {
  const std::string_view text = next().text;
  Node* node = make(Is::kLiteral);
  if (text == "true" || text == "True") {
    node->literal = Value::boolean(true);
  } else if (text == "false" || text == "False") {
    node->literal = Value::boolean(false);
  } else if (text != "none" && text != "None") {
    node->kind = Is::kName;
    node->name = text;
    if (text == "caller") uses_ |= Node::kCaller;
    if (text == "varargs") uses_ |= Node::kVarargs;
    if (text == "kwargs") uses_ |= Node::kKwargs;
  }
  return node;
}

Node* ExpressionParser::string() {
  std::string_view text = next().text;
  if (peek().type == Type::kString) {
    Text all(heap_);
    all.add(text);
    while (peek().type == Type::kString) all.add(next().text);
    text = all.done().str();
  }
  Node* node = make(Is::kLiteral);
  node->literal = Value::string(text);
  return node;
}

Node* ExpressionParser::sequence() {
  Node* node = make(Is::kList);
  std::vector<Node*> items;
  while (!heap_.failed() && !is("]")) {
    items.push_back(expression());
    if (!take(",")) break;
  }
  expect("]");
  node->parts = nodes(items);
  return node;
}

Node* ExpressionParser::dictionary() {
  Node* node = make(Is::kDict);
  std::vector<Node*> items;
  while (!heap_.failed() && !is("}")) {
    items.push_back(expression());
    expect(":");
    items.push_back(expression());
    if (!take(",")) break;
  }
  expect("}");
  node->parts = nodes(items);
  return node;
}

Node* ExpressionParser::postfix(Node* node) {
  for (;;) {
    if (take(".")) {
      if (peek().type == Type::kNumber) {
        Node* index = make(Is::kLiteral);
        index->literal = next().number;
        node = make(Is::kGetitem, {node, index});
      } else {
        node = make(Is::kGetattr, {node});
        node->name = expect(Type::kName).text;
      }
    } else if (take("[")) {
      node = subscript(node);
    } else if (is("(")) {
      std::vector<Node*> parts = {node};
      arguments(parts);
      node = make(Is::kCall);
      node->parts = nodes(parts);
    } else {
      return node;
    }
  }
}

Node* ExpressionParser::with_filters(Node* node) {
  for (;;) {
    if (is("|")) {
      node = filters(node);
    } else if (take_name("is")) {
      node = test(node);
    } else if (is("(")) {
      std::vector<Node*> parts = {node};
      arguments(parts);
      node = make(Is::kCall);
      node->parts = nodes(parts);
    } else {
      return node;
    }
  }
}

Node* ExpressionParser::slice_part(std::string_view end) {
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
    std::vector<Node*> items = {begin};
    while (take(",") && !is("]")) items.push_back(expression());
    if (items.size() > 1) {
      begin = make(Is::kTuple);
      begin->parts = nodes(items);
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
  std::vector<Node*> parts = {subject};
  Node* node = make(Is::kFilter);
  node->name = name;
  if (is("(")) arguments(parts);
  node->parts = nodes(parts);
  return node;
}

Node* ExpressionParser::test(Node* subject) {
  const bool negated = take_name("not");
  Node* node = make(Is::kTest);
  node->name = expect(Type::kName).text;
  std::vector<Node*> parts = {subject};
  const Type type = peek().type;
  const bool is_word = is_name("else") || is_name("or") || is_name("and");
  if (is_name("is")) fail_at("tests cannot be chained with is", "");
  if (is("(")) {
    arguments(parts);
  } else if ((type == Type::kName && !is_word) || type == Type::kString || type == Type::kNumber ||
             is("[") || is("{")) {
    parts.push_back(postfix(primary()));
  }
  node->parts = nodes(parts);
  return negated ? make(Is::kNot, {node}) : node;
}

void ExpressionParser::arguments(std::vector<Node*>& out) {
  expect("(");
  while (!heap_.failed() && !is(")")) {
    out.push_back(argument());
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
  } else if (peek().type == Type::kName && peek(1).type == Type::kOperator && peek(1).text == "=") {
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
    node->literal = Value::string(expect(Type::kName).text);
  }
  return node;
}

Node* ExpressionParser::target() {
  if (!heap_.enter()) return make(Is::kName);
  std::vector<Node*> items = {one_target()};
  bool is_tuple = false;
  while (take(",")) {
    is_tuple = true;
    if (peek().type != Type::kName && !is("(")) break;
    if (is_name("in")) break;
    items.push_back(one_target());
  }
  heap_.leave();
  if (!is_tuple) return items[0];
  Node* node = make(Is::kTuple);
  node->parts = nodes(items);
  return node;
}

}  // namespace enm::text::jinja
