#include "rest/submission.h"

#include <fmt/format.h>

#include "edge/intake.h"

namespace trunkline::rest {

message::Submission make_submission(MessageRequest& request, message::TenantIndex tenant,
                                    const config::Config& config, const seal::Vault& vault,
                                    base::Wall now) {
  message::Submission s{.tenant = tenant,
                        .traffic_class = request.traffic_class,
                        .ingress = message::Ingress::rest,
                        .to = *request.to,
                        .from = request.payload.from,
                        .encoding = static_cast<std::uint8_t>(request.encoding),
                        .segments = request.segments,
                        .region = std::move(request.region),
                        .ttl = request.ttl,
                        .send_at = request.send_at,
                        .sealed = {},
                        .key = {}};
  edge::settle_class(s, request.payload.body, config);
  edge::seal_payload(s, request.payload, config, vault, now);
  return s;
}

io::Problem invalid(Errors errors) {
  io::Problem problem;
  problem.detail = errors.size() == 1 ? errors.front().detail
                                      : fmt::format("{} mistakes, see errors.", errors.size());
  problem.errors = std::move(errors);
  return problem;
}

}  // namespace trunkline::rest
