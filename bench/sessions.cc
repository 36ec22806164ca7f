// sessions_bench FOLDER [SESSIONS]: several sessions of one model, each filling its context on a
// thread of its own. Prints the process's resident memory beside what the weights and the sessions
// account for.
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "enm/base/file_posix.h"
#include "enm/pipeline/session.h"

namespace {

// Resident bytes of this process, file pages left out.
uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  unsigned long kilobytes = 0;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "RssAnon: %lu", &kilobytes) == 1) break;
  }
  if (file != nullptr) std::fclose(file);
  return uint64_t{kilobytes} * 1024;
}

double megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

enm::Status run(const char* folder, int count) {
  const enm::DirectoryFiles files(folder);
  enm::ThreadPool packing(2);
  ENM_ASSIGN_OR_RETURN(const auto model, enm::pipeline::Model::open(files, {}, packing));
  std::printf("weights  %9.1f MB, resident %9.1f MB\n", megabytes(model->weight_bytes()),
              megabytes(resident_bytes()));
  std::vector<enm::Status> statuses(static_cast<size_t>(count));
  std::vector<uint64_t> own(static_cast<size_t>(count));
  std::barrier all_are_done(count + 1);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < statuses.size(); ++i) {
    threads.emplace_back([&, i] {
      enm::ThreadPool pool(1);
      const auto session = enm::pipeline::Session::open(model, {}, pool);
      statuses[i] = session.status();
      if (session.ok()) {
        // The whole cache is touched, so that what is counted is there.
        auto& decoder = (*session)->decoder();
        const std::vector<int32_t> ids(static_cast<size_t>(decoder.context_length()), 7);
        statuses[i] = decoder.append(0, ids);
        own[i] = (*session)->cache_bytes() + (*session)->arena_bytes();
      }
      all_are_done.arrive_and_wait();
      all_are_done.arrive_and_wait();
    });
  }
  all_are_done.arrive_and_wait();
  const uint64_t resident = resident_bytes();
  all_are_done.arrive_and_wait();
  for (std::thread& thread : threads) thread.join();
  uint64_t counted = model->weight_bytes();
  for (size_t i = 0; i < statuses.size(); ++i) {
    ENM_RETURN_IF_ERROR(statuses[i]);
    counted += own[i];
  }
  std::printf("%d sessions %6.1f MB, resident %9.1f MB, %.3f times weights and sessions\n", count,
              megabytes(counted - model->weight_bytes()), megabytes(resident),
              megabytes(resident) / megabytes(counted));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: sessions_bench FOLDER [SESSIONS]\n", stderr), 2;
  const int count = argc > 2 ? std::atoi(argv[2]) : 4;
  const enm::Status status = run(argv[1], count > 0 ? count : 1);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
