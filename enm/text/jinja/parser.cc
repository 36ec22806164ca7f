#include "enm/text/jinja/parser.h"

#include "enm/text/jinja/expression_parser.h"

namespace enm::text::jinja {
namespace {

using Is = Node::Kind;

class Parser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  // The statements up to a tag of one of these names, which is passed; end_ says which.
  std::span<Node*> body(std::initializer_list<const char*> names) {
    List<Node*> out(heap_);
    while (!heap_.failed()) {
      if (peek().type == Type::kData) {
        Node* text = literal(heap_.string(next().text));
        text->kind = Is::kText;
        out.add(text);
      } else if (take(Type::kPrintBegin)) {
        out.add(make(Is::kPrint, {tuple()}));
        expect(Type::kPrintEnd);
      } else if (take(Type::kBlockBegin)) {
        end_ = 0;
        for (const char* name : names) {
          if (take_name(name)) return out.span();
          ++end_;
        }
        Node* made = heap_.enter() ? statement() : nullptr;
        if (made == nullptr) break;
        heap_.leave();
        out.add(made);
        expect(Type::kBlockEnd);
      } else {
        if (names.size() > 0) fail_at("missing ", *names.begin());
        break;
      }
    }
    return out.span();
  }

 private:
  void end_tag() { expect(Type::kBlockEnd); }

  Node* statement() {
    struct Row {
      const char* name;
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
    List<Node*> parts(heap_);
    parts.add(items);
    parts.add(tuple(false));
    if (take_name("if")) parts.add(expression());
    node->flag = take_name("recursive");
    node->parts = parts.span();
    end_tag();
    ++loops_;
    node->body = body({"endfor", "else"});
    --loops_;
    if (end_ != 1) return node;
    end_tag();
    node->other = body({"endfor"});
    return node;
  }

  // Not by itself for each elif: there may be many.
  Node* condition() {
    Node* first = make(Is::kIf);
    for (Node* node = first; !heap_.failed();) {
      node->parts = nodes({expression()});
      end_tag();
      node->body = body({"elif", "else", "endif"});
      if (end_ == 1) {
        end_tag();
        node->other = body({"endif"});
        break;
      }
      if (end_ != 0) break;
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
    node->body = body({"endset"});
    return node;
  }

  void parameters(List<Node*>& out) {
    expect("(");
    bool had_default = false;
    while (!heap_.failed() && !is(")")) {
      Node* parameter = make(Is::kParameter);
      parameter->name = expect(Type::kName).text;
      if (take("=")) {
        parameter->parts = nodes({expression()});
        had_default = true;
      } else if (had_default) {
        fail_at("a parameter without default follows one with");
      }
      out.add(parameter);
      if (!take(",")) break;
    }
    expect(")");
  }

  // A body that is called: loops around it do not reach into it.
  void function_body(Node* node, const char* end) {
    end_tag();
    const int loops = std::exchange(loops_, 0);
    const uint8_t outer = std::exchange(uses_, 0);
    node->body = body({end});
    node->uses = uses_;
    uses_ |= outer;
    loops_ = loops;
  }

  Node* macro() {
    Node* node = make(Is::kMacro);
    node->name = expect(Type::kName).text;
    List<Node*> parts(heap_);
    parameters(parts);
    node->parts = parts.span();
    function_body(node, "endmacro");
    return node;
  }

  Node* call_block() {
    Node* node = make(Is::kCallBlock);
    node->name = "caller";
    List<Node*> given(heap_), parts(heap_);
    if (is("(")) parameters(given);
    Node* call = expression();
    if (call->kind != Is::kCall) fail_at("call: expected a call");
    parts.add(call);
    for (Node* parameter : given) parts.add(parameter);
    node->parts = parts.span();
    function_body(node, "endcall");
    return node;
  }

  Node* filter_block() {
    Node* node = make(Is::kFilterBlock);
    node->parts = nodes({filters(filter(make(Is::kCaptured)))});
    end_tag();
    node->body = body({"endfilter"});
    return node;
  }

  Node* with() {
    Node* node = make(Is::kWith);
    List<Node*> parts(heap_);
    while (!heap_.failed() && peek().type != Type::kBlockEnd) {
      if (!parts.empty()) expect(",");
      parts.add(target());
      expect("=");
      parts.add(expression());
    }
    node->parts = parts.span();
    end_tag();
    node->body = body({"endwith"});
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
    if (loops_ == 0) fail_at("break or continue outside of a loop");
    return make(kind);
  }

  int loops_ = 0;
  int end_ = 0;  // of the names that end a body
};

}  // namespace

std::span<Node*> parse(Heap& heap, std::string_view source) {
  Parser parser(heap, source);
  return parser.body({});
}

}  // namespace enm::text::jinja
