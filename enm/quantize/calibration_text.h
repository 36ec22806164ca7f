// Texts to calibrate and to validate with: files into documents, documents into windows of tokens.
#pragma once

#include <string>
#include <vector>

#include "enm/quantize/stage_run.h"
#include "enm/text/tokenizer.h"

namespace enm::quantize {

/// The documents of a file: lines {"text": ...} where its name ends in .jsonl or .json, else the
/// whole of it; of a folder (WikiText's, C4's), those of all such files and of .txt, .raw and
/// .tokens, by name. kInvalidArgument where there is no text.
Result<std::vector<std::string>> read_documents(const std::string& path);

/// How windows are taken. Recorded in the file that they made.
struct Recipe {
  int64_t count = 512;   // windows, at most
  int64_t length = 512;  // tokens of each
  uint64_t seed = 0;
  /// Documents are joined and cut; otherwise a window is the beginning of a document, and may be
  /// shorter.
  bool pack = true;
};

struct Sample {
  Windows windows;
  int64_t tokens = 0;     // in the windows
  int64_t documents = 0;  // that they came from
  std::string rest;       // text that was held out
};

/// Windows that do not overlap, drawn by the seed where there are more than are wanted, in the
/// text's order. `hold_out` of the text, at its end, is left over. kInvalidArgument for a text that
/// is shorter than a window.
Result<Sample> sample_windows(std::vector<std::string> documents, const Recipe& recipe,
                              double hold_out, const text::Tokenizer& tokenizer);

}  // namespace enm::quantize
