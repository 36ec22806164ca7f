#include "enm/text/grammar/automaton.h"

#include <algorithm>

namespace enm::text::grammar {
namespace {

using Op = Instruction::Op;

constexpr uint32_t kBottom = 0;              // the frame below the root
constexpr uint32_t kCallFrame = UINT32_MAX;  // the count of frames that are no repetition's
constexpr Pc kLoopMark = UINT32_MAX;         // a thread that only says: this frame is a loop's

// Threads that a byte may lead to. A grammar that people write has some dozens.
constexpr size_t kMostThreads = size_t{1} << 14;
// Frames, threads and steps that are kept: forgotten between two tokens above the first number, an
// error above the second. Sixteen bytes each, or less.
constexpr size_t kManyParts = size_t{1} << 18;
constexpr size_t kMostParts = size_t{1} << 21;
// Instructions that are followed for a token: about a second.
constexpr size_t kMostWork = size_t{1} << 25;

}  // namespace

void HashIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.place == kFree) continue;
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].place != kFree) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

Automaton::Automaton(std::shared_ptr<const Program> program) : program_(std::move(program)) {
  forget();
  begin();
}

void Automaton::begin() {
  clear();
  follow({program_->start, kBottom});
  start_ = close();
}

void Automaton::forget() {
  frames_.assign(1, {});
  threads_.clear();
  states_.clear();
  steps_.clear();
  frame_index_.clear();
  state_index_.clear();
  step_index_.clear();
  clear();
  close();  // kDead
}

bool Automaton::full() const {
  return frames_.size() + threads_.size() + steps_.size() > kMostParts;
}

uint32_t Automaton::frame(const Frame& wanted) {
  const uint64_t hash = mixed(mixed(uint64_t{wanted.pc} << 32 | wanted.count) + wanted.below);
  const auto fresh = static_cast<uint32_t>(frames_.size());
  const uint32_t found = frame_index_.find_or_add(
      hash, fresh, [&](uint32_t place) { return frames_[place] == wanted; });
  if (found == fresh) frames_.push_back(wanted);
  return found;
}

void Automaton::clear() {
  threads_.resize(states_.empty() ? 0 : states_.back().end);
  seen_.clear();
  seen_index_.clear();
  may_end_ = false;
}

bool Automaton::see(Thread thread) {
  const auto fresh = static_cast<uint32_t>(seen_.size());
  const uint32_t found =
      seen_index_.find_or_add(mixed(uint64_t{thread.pc} << 32 | thread.frame), fresh,
                              [&](uint32_t place) { return seen_[place] == thread; });
  if (found == fresh) seen_.push_back(thread);
  return found == fresh;
}

void Automaton::follow(Thread first) {
  todo_.assign(1, first);
  while (!todo_.empty()) {
    const Thread thread = todo_.back();
    todo_.pop_back();
    if (!see(thread)) continue;
    if (seen_.size() > kMostThreads || ++work_ > kMostWork || full()) {
      status_ = failure(Code::kResourceExhausted, {"the grammar leaves too many ways open"});
      return;
    }
    const Instruction& at = program_->code[thread.pc];
    switch (at.op) {
      case Op::kByte:
        threads_.push_back(thread);
        break;
      case Op::kSplit:
        todo_.push_back({at.next, thread.frame});
        todo_.push_back({at.target, thread.frame});
        break;
      case Op::kCall:  // a last call needs no frame, so that right recursion takes no memory
        todo_.push_back({at.target, at.next == Program::kReturn
                                        ? thread.frame
                                        : frame({at.next, kCallFrame, thread.frame})});
        break;
      case Op::kRepeat:
        repeat(thread.pc, 0, thread.frame);
        break;
      case Op::kReturn: {
        if (thread.frame == kBottom) {
          may_end_ = true;
          break;
        }
        const Frame back = frames_[thread.frame];
        if (back.count == kCallFrame) {
          todo_.push_back({back.pc, back.below});
        } else {
          repeat(back.pc, back.count + 1, back.below);
        }
      }
    }
  }
}

// Before the body, which ran `count` times.
void Automaton::repeat(Pc pc, uint32_t count, uint32_t below) {
  const Instruction& at = program_->code[pc];
  const Program::Repeat& bounds = program_->repeats[at.repeat];
  if (bounds.max == Grammar::kUnlimited) count = std::min(count, bounds.min);
  if (count >= bounds.min) todo_.push_back({at.next, below});
  if (count >= bounds.max) return;
  const Thread body = {at.target, frame({pc, count, below})};
  todo_.push_back(body);
  const Thread mark = {kLoopMark, body.frame};
  if (bounds.set != Program::kNoSet && see(mark)) threads_.push_back(mark);
}

Automaton::State Automaton::close() {
  const auto begin = states_.empty() ? 0 : states_.back().end;
  const auto end = static_cast<uint32_t>(threads_.size());
  uint64_t hash = may_end_;
  for (size_t i = begin; i < end; ++i) {
    hash = mixed(hash + mixed(uint64_t{threads_[i].pc} << 32 | threads_[i].frame));
  }
  const auto fresh = static_cast<State>(states_.size());
  const State found = state_index_.find_or_add(hash, fresh, [&](uint32_t place) {
    const auto known = threads(place);
    return states_[place].may_end == may_end_ && known.size() == end - begin &&
           std::equal(known.begin(), known.end(), threads_.begin() + begin);
  });
  if (found == fresh) {
    states_.push_back({begin, end, may_end_});
  } else {
    threads_.resize(begin);
  }
  return found;
}

Automaton::State Automaton::step(State state, uint8_t byte) {
  if (state == kDead || !status_.ok()) return kDead;
  const uint64_t key = uint64_t{state} << 8 | byte;
  const auto fresh = static_cast<uint32_t>(steps_.size());
  const uint32_t place = step_index_.find_or_add(
      mixed(key), fresh, [&](uint32_t known) { return steps_[known].key == key; });
  if (place != fresh) return steps_[place].to;
  steps_.push_back({key, kDead});
  clear();
  for (size_t i = states_[state].begin; i < states_[state].end; ++i) {
    const Thread thread = threads_[i];
    if (thread.pc == kLoopMark) continue;
    const Instruction& at = program_->code[thread.pc];
    if (at.first <= byte && byte <= at.last) follow({at.next, thread.frame});
  }
  const State to = status_.ok() ? close() : kDead;
  steps_[place].to = to;
  return to;
}

Automaton::Loop Automaton::loop(State state) {
  Loop best;
  uint32_t best_frame = kBottom;
  for (const Thread& thread : threads(state)) {
    if (thread.pc != kLoopMark) continue;
    const Frame& one = frames_[thread.frame];
    const Program::Repeat& bounds = program_->repeats[program_->code[one.pc].repeat];
    const uint32_t room =
        bounds.max == Grammar::kUnlimited ? Grammar::kUnlimited : bounds.max - one.count;
    if (room <= best.room) continue;
    best = {bounds.set, room, false};
    best_frame = thread.frame;
  }
  if (best.room == 0) return best;
  const Frame loop = frames_[best_frame];
  clear();
  follow({program_->code[loop.pc].next, loop.below});
  if (!status_.ok()) return {};
  const State behind = close();
  const Program::Set& set = program_->sets[best.set];
  best.alone = is_alone(state, best_frame, set) && is_alone(behind, best_frame, set);
  return best;
}

// Whether all threads that take the first byte of a character of the set are the set's own ones
// within that frame.
bool Automaton::is_alone(State state, uint32_t frame, const Program::Set& set) const {
  return std::ranges::all_of(threads(state), [&](const Thread& thread) {
    if (thread.pc == kLoopMark) return true;
    if (thread.frame == frame && thread.pc >= set.begin && thread.pc < set.end) return true;
    const Instruction& at = program_->code[thread.pc];
    return std::none_of(set.leads.begin() + at.first, set.leads.begin() + at.last + 1,
                        [](bool lead) { return lead; });
  });
}

bool Automaton::forget_all_but(State& keep) {
  work_ = 0;
  if (frames_.size() + threads_.size() + steps_.size() < kManyParts) return false;
  const std::vector<Frame> frames = std::move(frames_);
  const bool may_end = states_[keep].may_end;
  const std::vector<Thread> kept(threads_.begin() + states_[keep].begin,
                                 threads_.begin() + states_[keep].end);
  // Frames stand above those that they return to.
  std::vector<uint32_t> names(frames.size(), kBottom);
  std::vector<bool> needed(frames.size(), false);
  for (const Thread& thread : kept) needed[thread.frame] = true;
  for (size_t i = frames.size(); i-- > 1;) {
    if (needed[i]) needed[frames[i].below] = true;
  }
  forget();
  for (size_t i = 1; i < frames.size(); ++i) {
    if (needed[i]) names[i] = frame({frames[i].pc, frames[i].count, names[frames[i].below]});
  }
  clear();
  for (const Thread& thread : kept) threads_.push_back({thread.pc, names[thread.frame]});
  may_end_ = may_end;
  keep = close();
  begin();
  return true;
}

}  // namespace enm::text::grammar
