#include "config/compile_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/scalar.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

struct Url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string target;
};

bool is_target(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`|#").find(c) == std::string_view::npos;
  });
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://")) return std::nullopt;
  std::string_view rest = text.substr(url.tls ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  url.target = rest.substr(authority.size());
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (!is_target(url.target)) return std::nullopt;
  url.port = url.tls ? 443 : 80;
  if (const auto at = parse_scalar(Kind::address, std::string(authority), false)) {
    const auto& endpoint = std::get<Endpoint>(*at);
    url.host = endpoint.host;
    url.port = endpoint.port;
  } else if (parse_scalar(Kind::host, std::string(authority), false)) {
    url.host = authority;
  }
  if (url.host.empty() || url.port == 0) return std::nullopt;
  return url;
}

bool names_number(std::string_view text) {
  return text.find("{number}") != std::string_view::npos ||
         text.find("{e164}") != std::string_view::npos;
}

}  // namespace

std::optional<Lookup> compile_lookup(const Value& value, std::uint32_t classes,
                                     Findings& findings) {
  if (!value.given || value.bad) return std::nullopt;
  const auto error = [&](const Value& at, std::string what, std::string remedy) {
    findings.error(at.mark, at.path, std::move(what), std::move(remedy));
  };
  Lookup out;
  const Value& url = value.at("url");
  const Value& body = value.at("body");
  if (url.given && !url.bad) {
    const auto parsed = parse_url(url.text());
    if (!parsed) {
      error(url, fmt::format("{} is no URL of http or https", quote(url.text())),
            "write it as https://lookup.example.com/v1/{number}");
    } else if (!names_number(url.text()) && !names_number(body.text())) {
      error(url, "neither it nor the body says which number is asked about",
            "put {number} or {e164} where the number belongs");
    } else {
      out.tls = parsed->tls;
      out.host = parsed->host;
      out.port = parsed->port;
      out.target = parsed->target;
    }
  }
  out.body = body.text();
  const Value& authorization = value.at("authorization");
  out.authorization = authorization.text();
  if (std::ranges::any_of(out.authorization, [](char c) { return c < ' ' || c == 0x7f; })) {
    error(authorization, "a header cannot hold this", "give one line of printable text");
    out.authorization.clear();
  }
  if (!out.authorization.empty() && !out.host.empty() && !out.tls && !is_loopback(out.host)) {
    findings.warning(authorization.mark, authorization.path,
                     "it is sent to another machine in the clear, and numbers are with it",
                     "use https");
  }
  const Value& ca = value.at("ca");
  out.ca = {.name = ca.text(), .place = findings.locate(ca.mark, ca.path)};
  if (!out.ca.name.empty() && !out.host.empty() && !out.tls) {
    error(ca, "there is no certificate to verify: the URL is one of http",
          "use https, or leave ca out");
  }
  out.timeout = value.at("timeout").duration();
  out.cache = value.at("cache").duration();
  out.cache_size = static_cast<std::size_t>(value.at("cache_size").integer());
  out.rate_per_s = value.at("rate").number();
  out.concurrency = static_cast<unsigned>(value.at("concurrency").integer());
  for (const Value& item : value.at("country").items) {
    if (const auto country = numbering::Country::parse(item.text())) {
      out.countries.push_back(*country);
    }
  }
  std::ranges::sort(out.countries);
  out.classes = classes;
  const Value& answer = value.at("answer");
  if (answer.bad || !answer.given) return out;
  const auto pointer = [&](std::string_view key, std::string& to) {
    const Value& at = answer.at(key);
    to = at.text();
    bool good = to.empty() || to.starts_with('/');
    for (std::size_t i = 0; good && (i = to.find('~', i)) != std::string::npos; ++i) {
      good = i + 1 < to.size() && (to[i + 1] == '0' || to[i + 1] == '1');
    }
    if (good) return;
    error(at, fmt::format("{} is no JSON pointer", quote(to)),
          "begin each step with a slash, such as /network/mccmnc");
  };
  pointer("mccmnc", out.answer.mccmnc);
  pointer("mcc", out.answer.mcc);
  pointer("mnc", out.answer.mnc);
  pointer("ported", out.answer.ported);
  pointer("status", out.answer.status);
  for (const Value& word : answer.at("invalid").items) out.answer.invalid.push_back(word.text());
  if (out.answer.mcc.empty() != out.answer.mnc.empty()) {
    error(answer, "one of mcc and mnc is missing", "name both, or mccmnc");
  } else if (out.answer.mccmnc.empty() && out.answer.mcc.empty() && out.answer.invalid.empty()) {
    error(answer, "nothing of the answer is used",
          "name mccmnc, or mcc and mnc, or status and invalid");
  }
  if (!out.answer.invalid.empty() && out.answer.status.empty()) {
    error(answer.at("invalid"), "nobody says in which field these words would be", "name status");
  }
  if (value.at("invalid").text() == "refuse" && out.answer.invalid.empty()) {
    error(value.at("invalid"), "no answer means that nobody has the number",
          "name answer.status and answer.invalid, or leave invalid out");
  }
  return out;
}

}  // namespace trunkline::config
