#include "enm/pipeline/stop_filter.h"

#include <algorithm>
#include <utility>

namespace enm::pipeline {

StopFilter::StopFilter(const std::vector<std::string>& stops) {
  for (const std::string& text : stops) {
    if (text.empty()) continue;
    Stop stop{.text = text, .borders = {0, 0}};
    for (size_t i = 1; i < text.size(); ++i) {
      stop.take(text[i]);
      stop.borders.push_back(static_cast<uint32_t>(stop.matched));
    }
    stop.matched = 0;
    stops_.push_back(std::move(stop));
  }
}

void StopFilter::Stop::take(char byte) {
  while (matched > 0 && (matched == text.size() || text[matched] != byte)) {
    matched = borders[matched];
  }
  if (text[matched] == byte) ++matched;
}

std::string StopFilter::front(std::string_view text, size_t size) const {
  std::string out;
  if (held_ > 0) out = stops_[holder_].text.substr(0, std::min(held_, size));
  out += text.substr(0, size - out.size());
  return out;
}

std::string StopFilter::push(std::string_view text) {
  if (text.empty() || stopped_) return {};
  size_t holder = 0;
  size_t matched = 0;
  for (size_t i = 0; i < text.size() && !stopped_; ++i) {
    matched = 0;
    size_t complete = 0;
    for (size_t k = 0; k < stops_.size(); ++k) {
      Stop& stop = stops_[k];
      stop.take(text[i]);
      if (stop.matched == stop.text.size()) complete = std::max(complete, stop.matched);
      if (stop.matched > matched) {
        matched = stop.matched;
        holder = k;
      }
    }
    if (complete > 0) {
      stopped_ = true;
      text = text.substr(0, i + 1);
      matched = complete;
    }
  }
  std::string ready = front(text, held_ + text.size() - matched);
  holder_ = holder;
  held_ = stopped_ ? 0 : matched;
  return ready;
}

std::string StopFilter::flush() {
  std::string rest = front({}, held_);
  held_ = 0;
  for (Stop& stop : stops_) stop.matched = 0;
  return rest;
}

}  // namespace enm::pipeline
