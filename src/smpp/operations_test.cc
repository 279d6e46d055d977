#include "smpp/operations.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace trunkline::smpp {
namespace {

// Table 2-1 of 3.4 with 5.0's broadcast: who may ask for what over a transmitter, a receiver and a
// transceiver.
constexpr const char* kTable = R"(
submit_sm            esme T-X  smsc ---
submit_multi         esme T-X  smsc ---
data_sm              esme T-X  smsc -RX
query_sm             esme T-X  smsc ---
cancel_sm            esme T-X  smsc ---
replace_sm           esme T-X  smsc ---
broadcast_sm         esme T-X  smsc ---
query_broadcast_sm   esme T-X  smsc ---
cancel_broadcast_sm  esme T-X  smsc ---
deliver_sm           esme ---  smsc -RX
)";

std::string binds(Role sender, Operation operation) {
  std::string out;
  for (const auto& [kind, letter] :
       {std::pair{BindKind::transmitter, 'T'}, std::pair{BindKind::receiver, 'R'},
        std::pair{BindKind::transceiver, 'X'}}) {
    const bool may = may_send(sender, operation, kind);
    out.push_back(may ? letter : '-');
    const bool receipt_anyhow = sender == Role::smsc && (operation == Operation::data_sm ||
                                                         operation == Operation::deliver_sm);
    EXPECT_EQ(may_receive_from(sender, operation, kind), may || receipt_anyhow);
  }
  EXPECT_EQ(sends(sender, operation), out != "---");
  return out;
}

TEST(Operations, AreAllowedAsTheSpecificationHasIt) {
  std::string table = "\n";
  for (std::size_t i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    const auto id = static_cast<std::uint32_t>(command_of(operation));
    EXPECT_EQ(find_operation(id), operation);
    EXPECT_EQ(find_operation(id | kResponseBit), std::nullopt);
    EXPECT_TRUE(empty_response(id)) << "every operation is answered";
    table += fmt::format("{:<20} esme {}  smsc {}\n", command_name(id),
                         binds(Role::esme, operation), binds(Role::smsc, operation));
  }
  EXPECT_EQ(table, kTable);
  for (const std::uint32_t id : {0x1u, 0x6u, 0x9u, 0xbu, 0x15u, 0x102u, 0x110u, 0x80000000u}) {
    EXPECT_EQ(find_operation(id), std::nullopt) << id;
  }
}

TEST(Operations, SetsHoldWhatWasPutIn) {
  const OperationSet some = {Operation::data_sm, Operation::deliver_sm};
  for (std::size_t i = 0; i < kOperations; ++i) {
    const auto o = static_cast<Operation>(i);
    EXPECT_EQ(some.contains(o), o == Operation::data_sm || o == Operation::deliver_sm);
    EXPECT_TRUE(OperationSet::all().contains(o));
    EXPECT_FALSE(OperationSet{}.contains(o));
  }
}

}  // namespace
}  // namespace trunkline::smpp
