#include "registry/server.h"

#include <sys/resource.h>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "enm/base/os_file.h"
#include "registry/api.h"

namespace enm::registry {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto kIdleTimeout = 300s;  // between two requests of a connection
constexpr auto kMoveTimeout = 120s;  // without a byte moving within one
constexpr auto kSweepEvery = 60s;
constexpr auto kStopPoll = 100ms;
constexpr uint32_t kMaxHeaderBytes = 16 << 10;
constexpr size_t kPiece = 64 << 10;  // of a body, held for each connection that moves one
constexpr int kNetworkThreads = 2;
constexpr int kDiskThreads = 4;

// Errors come as codes: a connection that breaks is no exception.
constexpr auto use_code = asio::as_tuple(asio::use_awaitable);

using Log = std::function<void(const std::string& line)>;

class Connection {
 public:
  Connection(tcp::socket socket, Api& api, asio::thread_pool& disk, const Log& log)
      : stream_(std::move(socket)), api_(api), disk_(disk), log_(log) {}

  awaitable<void> run() {
    while (co_await serve_one()) {
    }
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

 private:
  using HeaderParser = http::request_parser<http::empty_body>;

  // False at the end of the connection.
  awaitable<bool> serve_one() {
    HeaderParser header;
    header.header_limit(kMaxHeaderBytes);
    header.body_limit(boost::none);  // each kind of body has its own below
    stream_.expires_after(kIdleTimeout);
    auto [error, size] = co_await http::async_read_header(stream_, buffer_, header, use_code);
    const Request unread;
    if (error == http::error::header_limit) {
      const std::string limit = cat("the headers are longer than ", kMaxHeaderBytes, " bytes");
      co_return co_await refuse(unread, problem(431, "too_large", limit));
    }
    if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      const std::string what = cat("no HTTP request: ", error.message());
      co_return co_await refuse(unread, problem(400, "bad_request", what));
    }
    if (error) co_return false;
    const Request request = request_of(header.get());
    if (beast::iequals(request.header("Expect"), "100-continue") && !co_await send_continue()) {
      co_return false;
    }
    if (request.method == "OPTIONS") {
      co_return co_await send(request, preflight(), header.keep_alive() && header.is_done());
    }
    if (Api::is_part(request.method, request.target)) co_return co_await take_part(header, request);
    co_return co_await answer(header, request);
  }

  static Request request_of(const http::request<http::empty_body>& message) {
    Request request;
    request.method = message.method_string();
    request.target = message.target();
    for (const auto& field : message) {
      request.headers.emplace_back(field.name_string(), field.value());
    }
    return request;
  }

  awaitable<bool> send_continue() {
    http::response<http::empty_body> go_on{http::status::continue_, 11};
    stream_.expires_after(kMoveTimeout);
    auto [error, size] = co_await http::async_write(stream_, go_on, use_code);
    co_return !error;
  }

  // A request whose body is small enough to be held.
  awaitable<bool> answer(HeaderParser& header, Request request) {
    const uint64_t limit = api_.body_limit(request.method, request.target);
    const auto too_large = [&] {
      return problem(413, "too_large", cat("the body is longer than ", limit, " bytes"));
    };
    // The parser holds chunked bodies to its limit, but has passed an announced length already.
    if (header.content_length().value_or(0) > limit) {
      co_return co_await refuse(request, too_large());
    }
    http::request_parser<http::string_body> parser(std::move(header));
    parser.body_limit(limit);
    stream_.expires_after(kMoveTimeout);
    auto [error, size] = co_await http::async_read(stream_, buffer_, parser, use_code);
    if (error == http::error::body_limit) {
      co_return co_await refuse(request, too_large());
    }
    if (error) co_return false;
    request.body = std::move(parser.get().body());
    Reply reply = co_await on_disk([&] { return api_.handle(request); });
    co_return co_await send(request, std::move(reply), parser.keep_alive());
  }

  // A part of an upload: to the disk as it comes.
  awaitable<bool> take_part(HeaderParser& header, const Request& request) {
    auto begun = co_await on_disk([&] { return api_.begin_part(request); });
    if (auto* refusal = std::get_if<Reply>(&begun)) {
      co_return co_await refuse(request, std::move(*refusal));
    }
    const auto writer = std::get<std::shared_ptr<UploadWriter>>(std::move(begun));
    http::request_parser<http::buffer_body> parser(std::move(header));
    parser.body_limit(boost::none);
    std::vector<uint8_t> piece(kPiece);
    Status written;
    while (written.ok() && !parser.is_done()) {
      parser.get().body() = {piece.data(), piece.size(), true};
      stream_.expires_after(kMoveTimeout);
      auto [error, size] = co_await http::async_read(stream_, buffer_, parser, use_code);
      const Bytes bytes = Bytes(piece).first(piece.size() - parser.get().body().size);
      // Also what came before a connection broke off counts.
      written = co_await on_disk([&] { return write(*writer, bytes); });
      if (error && error != http::error::need_buffer) co_return false;
    }
    Reply reply = co_await on_disk([&] { return api_.end_part(*writer, written); });
    const bool keep = written.ok() && parser.keep_alive();
    co_return co_await send(request, std::move(reply), keep);
  }

  static Status write(UploadWriter& writer, Bytes bytes) {
    if (bytes.size() > writer.size() - writer.offset()) {
      return InvalidArgument("more bytes than the ", writer.size(), " that were announced");
    }
    return writer.write(bytes);
  }

  // Work that may wait for the disk, on threads of its own.
  template <typename Work>
  awaitable<std::invoke_result_t<Work>> on_disk(Work work) {
    std::optional<std::invoke_result_t<Work>> result;
    co_await asio::co_spawn(
        disk_,
        [&]() -> awaitable<void> {
          result.emplace(work());
          co_return;
        },
        asio::use_awaitable);
    co_return *std::move(result);
  }

  static Reply preflight() {
    Reply reply;
    reply.status = 204;
    reply.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"},
                     {"Access-Control-Allow-Headers", "Range, If-Range, If-None-Match"},
                     {"Access-Control-Max-Age", "86400"}};
    return reply;
  }

  // An answer to a request that was not read to its end.
  awaitable<bool> refuse(const Request& request, Reply reply) {
    co_await send(request, std::move(reply), false);
    // What the client still sends would reset the connection before it has read the answer.
    stream_.expires_after(5s);
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::vector<uint8_t> waste(kPiece);
    for (size_t drained = 0; drained < (size_t{32} << 20);) {
      auto [error, size] = co_await stream_.async_read_some(asio::buffer(waste), use_code);
      if (error) break;
      drained += size;
    }
    co_return false;
  }

  awaitable<bool> send(const Request& request, Reply reply, bool keep_alive) {
    if (reply.status >= 400 && log_) log_(failure_line(request.method, request.target, reply));
    http::response<http::empty_body> head{http::status(reply.status), 11};
    for (const auto& [name, value] : reply.headers) head.insert(name, value);
    head.set(http::field::access_control_allow_origin, "*");
    head.set(http::field::access_control_expose_headers,
             "Content-Length, Content-Range, Accept-Ranges, ETag, Link, X-Model-Version, "
             "X-Model-Checksum");
    head.set("Cross-Origin-Resource-Policy", "cross-origin");
    head.set("X-Content-Type-Options", "nosniff");
    head.keep_alive(keep_alive);
    const bool bodyless = reply.status == 204 || reply.status == 304;
    const uint64_t size = reply.file ? reply.file->size : reply.body.size();
    if (!bodyless) head.content_length(size);
    stream_.expires_after(kMoveTimeout);
    http::response_serializer<http::empty_body> serializer(head);
    auto [error, sent] = co_await http::async_write_header(stream_, serializer, use_code);
    if (error) co_return false;
    if (bodyless || request.method == "HEAD") co_return keep_alive;
    const bool whole =
        reply.file ? co_await send_file(*reply.file) : co_await send_bytes(reply.body);
    co_return whole&& keep_alive;
  }

  awaitable<bool> send_bytes(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPiece))) {
      stream_.expires_after(kMoveTimeout);
      const auto piece = bytes.substr(0, kPiece);
      auto [error, size] = co_await asio::async_write(stream_, asio::buffer(piece), use_code);
      if (error) co_return false;
    }
    co_return true;
  }

  awaitable<bool> send_file(const FileBody& body) {
    std::vector<uint8_t> piece(std::min<uint64_t>(kPiece, body.size));
    for (uint64_t done = 0; done < body.size;) {
      const MutableBytes part(piece.data(), std::min<uint64_t>(piece.size(), body.size - done));
      const auto got =
          co_await on_disk([&] { return body.file.read_at(body.offset + done, part); });
      if (!got.ok() || *got != part.size()) co_return false;  // the client sees a short answer
      if (!co_await send_bytes(as_text(part))) co_return false;
      done += part.size();
    }
    co_return true;
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  Api& api_;
  asio::thread_pool& disk_;
  const Log& log_;
};

awaitable<void> accept_all(tcp::acceptor& acceptor, Api& api, asio::thread_pool& disk,
                           const Log& log) {
  while (true) {
    auto strand = asio::make_strand(acceptor.get_executor());
    auto [error, socket] = co_await acceptor.async_accept(strand, use_code);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors: those that close make room
      asio::steady_timer pause(acceptor.get_executor(), 100ms);
      co_await pause.async_wait(use_code);
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);  // headers and body are two writes
    auto connection = std::make_shared<Connection>(std::move(socket), api, disk, log);
    asio::co_spawn(
        strand, [connection] { return connection->run(); },
        [connection](const std::exception_ptr&) {});  // a lost connection takes nobody along
  }
}

awaitable<void> sweep_for_ever(Api& api, asio::thread_pool& disk) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (true) {
    co_await asio::co_spawn(
        disk, [&api]() -> awaitable<void> { co_return api.sweep(); }, asio::use_awaitable);
    timer.expires_after(kSweepEvery);
    auto [error] = co_await timer.async_wait(use_code);
    if (error) co_return;
  }
}

awaitable<void> wait_for_stop(asio::io_context& context, const std::function<bool()>& stop) {
  asio::steady_timer timer(context);
  while (!stop || !stop()) {
    timer.expires_after(kStopPoll);
    co_await timer.async_wait(use_code);
  }
  context.stop();
}

// As many connections as the system lets us have.
void raise_descriptor_limit() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Status listen(tcp::acceptor& acceptor, const ServerOptions& options) {
  beast::error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  if (error) {
    return InvalidArgument("host ", enm::quoted(options.host),
                           "; expected an address such as 127.0.0.1");
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  return Unavailable("cannot listen on ", options.host, ":", options.port, ": ", error.message());
}

std::string url_of(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  const bool v6 = endpoint.address().is_v6();
  return cat("http://", v6 ? "[" : "", host, v6 ? "]" : "", ":", endpoint.port());
}

}  // namespace

Status serve(const ServerOptions& options) {
  raise_descriptor_limit();
  ENM_RETURN_IF_ERROR(make_folders(options.data));
  ENM_ASSIGN_OR_RETURN(const FileLock lock,
                       FileLock::try_take(options.data + "/lock", FileLock::Mode::kExclusive));
  ENM_ASSIGN_OR_RETURN(const auto api, Api::open(options.data, {options.limits, options.pages}));
  asio::io_context context(kNetworkThreads);
  asio::thread_pool disk(kDiskThreads);
  tcp::acceptor acceptor(context);
  ENM_RETURN_IF_ERROR(listen(acceptor, options));
  asio::co_spawn(context, accept_all(acceptor, *api, disk, options.log), asio::detached);
  asio::co_spawn(context, sweep_for_ever(*api, disk), asio::detached);
  asio::co_spawn(context, wait_for_stop(context, options.stop), asio::detached);
  if (options.ready) options.ready(url_of(acceptor.local_endpoint()));
  std::vector<std::thread> threads;
  for (int i = 1; i < kNetworkThreads; ++i) threads.emplace_back([&] { context.run(); });
  context.run();
  for (std::thread& thread : threads) thread.join();
  disk.join();
  return {};
}

}  // namespace enm::registry
