// A SentencePiece model: a protobuf of pieces with scores and of how to normalize.
// Source: sentencepiece_model.proto of google/sentencepiece
#include "enm/text/tokenizer.h"

namespace enm::text {

Result<Tokenizer> Tokenizer::parse_sentencepiece(std::string_view) { return Unsupported("soon"); }

}  // namespace enm::text
