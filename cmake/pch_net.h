// Precompiled for the folders that speak to sockets.
#pragma once
#include "pch_std.h"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
