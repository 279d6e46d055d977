#include "config/schema_cells.h"

namespace trunkline::config {
namespace {

constexpr Field kPeerFields[] = {
    {.key = "name", .kind = Kind::name, .required = true, .doc = "The other one's `node.cell`."},
    {.key = "url",
     .kind = Kind::text,
     .required = true,
     .doc = "Its admin listener, such as `http://10.0.0.2:9090`."},
};
constexpr Shape kPeer{"cell", "cells.peers[]", kPeerFields,
                      "Another cell, from which this one hears what is new there."};

constexpr Field kCellsFields[] = {
    {.key = "secret",
     .kind = Kind::secret,
     .required = true,
     .doc = "The same in all cells, 20 characters or more: seals what they tell each other, and "
            "tells them from others."},
    {.key = "peers",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kPeer,
     .doc = "The other cells; each names the others."},
    {.key = "shares",
     .kind = Kind::text,
     .many = Many::list,
     .absent = "nothing",
     .doc = "Files of this configuration's directory, such as `routes.yaml`, that the other cells "
            "take from here. See [the same configuration](routing.md#the-same-configuration)."},
    {.key = "takes_configuration_from",
     .kind = Kind::name,
     .absent = "each cell has its own",
     .doc = "The one of `peers` whose shared files hold here, too, as though they lay among this "
            "cell's own."},
};

}  // namespace

const Shape kCellsShape{
    "cells", "cells", kCellsFields,
    "Other cells with which opt-outs, and files of the configuration, are kept the same. See "
    "[routing](routing.md#what-is-the-same-in-all-cells)."};

}  // namespace trunkline::config
