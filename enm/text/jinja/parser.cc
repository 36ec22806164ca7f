#include "enm/text/jinja/parser.h"

#include "enm/text/jinja/expression_parser.h"

namespace enm::text::jinja {
namespace {

using Is = Node::Kind;

class Parser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  // The statements up to a tag of one of these names, which is passed; its name is in `end`.
  std::span<Node*> body(std::initializer_list<std::string_view> names, std::string_view* end) {
    std::vector<Node*> out;
    while (!heap_.failed()) {
      if (peek().type == Type::kData) {
        out.push_back(make(Is::kText));
        out.back()->literal = Value::string(next().text);
      } else if (take(Type::kPrintBegin)) {
        out.push_back(make(Is::kPrint, {tuple()}));
        expect(Type::kPrintEnd);
      } else if (take(Type::kBlockBegin)) {
        for (const std::string_view name : names) {
          if (!take_name(name)) continue;
          if (end != nullptr) *end = name;
          return nodes(out);
        }
        Node* made = heap_.enter() ? statement() : nullptr;
        if (made == nullptr) break;
        heap_.leave();
        out.push_back(made);
        expect(Type::kBlockEnd);
      } else {
        if (names.size() > 0) fail_at("missing ", *names.begin());
        break;
      }
    }
    return nodes(out);
  }

 private:
  // To the tag of that name and its end.
  std::span<Node*> body_to(std::string_view name) { return body({name}, nullptr); }
  void end_tag() { expect(Type::kBlockEnd); }

  Node* statement() {
    struct Row {
      std::string_view name;
      Node* (Parser::*parse)();
    };
    static constexpr Row kRows[] = {
        {"for", &Parser::loop},         {"if", &Parser::condition},
        {"set", &Parser::assignment},   {"macro", &Parser::macro},
        {"call", &Parser::call_block},  {"filter", &Parser::filter_block},
        {"with", &Parser::with},        {"generation", &Parser::generation},
        {"break", &Parser::leave_loop}, {"continue", &Parser::next_round},
    };
    for (const Row& row : kRows) {
      if (take_name(row.name)) return (this->*row.parse)();
    }
    return fail_at("unknown tag ", quoted(peek().text)), nullptr;
  }

  Node* loop() {
    Node* node = make(Is::kFor);
    Node* items = target();
    expect_name("in");
    std::vector<Node*> parts = {items, tuple(false)};
    if (take_name("if")) parts.push_back(expression());
    node->flag = take_name("recursive");
    node->parts = nodes(parts);
    end_tag();
    ++loops_;
    std::string_view end;
    node->body = body({"endfor", "else"}, &end);
    --loops_;
    if (end != "else") return node;
    end_tag();
    node->other = body_to("endfor");
    return node;
  }

  // Not by itself for each elif: there may be many.
  Node* condition() {
    Node* first = make(Is::kIf);
    for (Node* node = first; !heap_.failed();) {
      node->parts = nodes({expression()});
      end_tag();
      std::string_view end;
      node->body = body({"elif", "else", "endif"}, &end);
      if (end == "else") {
        end_tag();
        node->other = body_to("endif");
      }
      if (end != "elif") break;
      Node* next = make(Is::kIf);
      next->flag = true;
      node->other = nodes({next});
      node = next;
    }
    return first;
  }

  Node* assignment() {
    Node* left = target();
    if (take("=")) return make(Is::kSet, {left, tuple()});
    Node* node = make(Is::kSetBlock, {left, filters(make(Is::kCaptured))});
    end_tag();
    node->body = body_to("endset");
    return node;
  }

  void parameters(std::vector<Node*>& out) {
    expect("(");
    bool had_default = false;
    while (!heap_.failed() && !is(")")) {
      Node* parameter = make(Is::kParameter);
      parameter->name = expect(Type::kName).text;
      if (take("=")) {
        parameter->parts = nodes({expression()});
        had_default = true;
      } else if (had_default) {
        fail_at("a parameter without default follows one with", "");
      }
      out.push_back(parameter);
      if (!take(",")) break;
    }
    expect(")");
  }

  // A body that is called: loops around it do not reach into it.
  void function_body(Node* node, std::string_view end) {
    end_tag();
    const int loops = std::exchange(loops_, 0);
    const uint8_t outer = std::exchange(uses_, 0);
    node->body = body_to(end);
    node->uses = uses_;
    uses_ |= outer;
    loops_ = loops;
  }

  Node* macro() {
    Node* node = make(Is::kMacro);
    node->name = expect(Type::kName).text;
    std::vector<Node*> parts;
    parameters(parts);
    node->parts = nodes(parts);
    function_body(node, "endmacro");
    return node;
  }

  Node* call_block() {
    Node* node = make(Is::kCallBlock);
    node->name = "caller";
    std::vector<Node*> parts = {nullptr};
    if (is("(")) parameters(parts);
    parts[0] = expression();
    if (parts[0]->kind != Is::kCall) fail_at("call: expected a call", "");
    node->parts = nodes(parts);
    function_body(node, "endcall");
    return node;
  }

  Node* filter_block() {
    Node* node = make(Is::kFilterBlock);
    node->parts = nodes({filters(filter(make(Is::kCaptured)))});
    end_tag();
    node->body = body_to("endfilter");
    return node;
  }

  Node* with() {
    Node* node = make(Is::kWith);
    std::vector<Node*> parts;
    while (!heap_.failed() && peek().type != Type::kBlockEnd) {
      if (!parts.empty()) expect(",");
      parts.push_back(target());
      expect("=");
      parts.push_back(expression());
    }
    node->parts = nodes(parts);
    end_tag();
    node->body = body_to("endwith");
    return node;
  }

  Node* generation() {
    Node* node = make(Is::kScope);
    function_body(node, "endgeneration");
    return node;
  }

  Node* leave_loop() { return in_loop(Is::kBreak); }
  Node* next_round() { return in_loop(Is::kContinue); }
  Node* in_loop(Is kind) {
    if (loops_ == 0) fail_at("break or continue outside of a loop", "");
    return make(kind);
  }

  int loops_ = 0;
};

}  // namespace

std::span<Node*> parse(Heap& heap, std::string_view source) {
  Parser parser(heap, source);
  return parser.body({}, nullptr);
}

}  // namespace enm::text::jinja
