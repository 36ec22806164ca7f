// Runs a program along all of its ways at once. What stands where is a state: a set of threads,
// each an instruction and the stack of calls that it returns to. Stacks share their lower parts;
// equal stacks, equal sets and steps from one to another are made once and kept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/grammar/hash_index.h"
#include "enm/text/grammar/program.h"

namespace enm::text::grammar {

class Automaton {
 public:
  using State = uint32_t;
  static constexpr State kDead = 0;  // nothing can follow, and it is no end

  explicit Automaton(std::shared_ptr<const Program> program);

  const Program& program() const { return *program_; }
  State start() const { return start_; }
  State step(State state, uint8_t byte);
  bool may_end(State state) const { return states_[state].may_end; }
  bool may_go_on(State state) const { return !threads(state).empty(); }

  /// A repetition before its body, which takes characters of a large set whole.
  struct Loop {
    uint32_t set = Program::kNoSet;  // none
    uint32_t room = 0;               // characters that it takes at most
    bool alone = false;              // whatever begins with a character of the set goes through it
  };
  /// That of the state with the most room.
  Loop loop(State state);

  /// kResourceExhausted once limits were reached; from there on all steps lead to kDead.
  const Status& status() const { return status_; }

  /// To be called between tokens. Forgets all states but `keep`, which gets another name, if they
  /// have grown many; whether it did.
  bool forget_all_but(State& keep);

 private:
  // A call that waits, or a repetition whose body runs for the count-th time, from 0.
  struct Frame {
    Pc pc = 0;
    uint32_t count = 0;
    uint32_t below = 0;
    bool operator==(const Frame&) const = default;
  };
  struct Thread {
    Pc pc = 0;
    uint32_t frame = 0;
    bool operator==(const Thread&) const = default;
  };
  struct Set {
    uint32_t begin = 0;  // of its threads
    uint32_t end = 0;
    bool may_end = false;
  };
  struct Step {
    uint64_t key = 0;  // state and byte
    State to = kDead;
  };

  std::span<const Thread> threads(State state) const {
    return std::span(threads_).subspan(states_[state].begin,
                                       states_[state].end - states_[state].begin);
  }
  uint32_t frame(const Frame& wanted);
  void forget();
  void begin();
  // Make a state: clear, any number of follow, then close.
  void clear();
  void follow(Thread first);
  void repeat(Pc pc, uint32_t count, uint32_t below);
  bool see(Thread thread);
  State close();
  bool is_alone(State state, uint32_t frame, const Program::Set& set) const;
  bool full() const;

  const std::shared_ptr<const Program> program_;
  State start_ = kDead;
  Status status_;

  std::vector<Frame> frames_;
  std::vector<Thread> threads_;  // of all states
  std::vector<Set> states_;
  std::vector<Step> steps_;
  HashIndex frame_index_;
  HashIndex state_index_;
  HashIndex step_index_;

  // The state that is being made: its threads stand at the end of threads_.
  std::vector<Thread> todo_;
  std::vector<Thread> seen_;
  HashIndex seen_index_;
  bool may_end_ = false;
  size_t work_ = 0;  // since the last token
};

}  // namespace enm::text::grammar
