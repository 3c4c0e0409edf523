// A model of somebody else's, asked over HTTP. README.md is the protocol.
#pragma once

#include "adapters/http_generator/model_call.hpp"
#include "adapters/ports.hpp"

namespace segue::http_generator {

/// Asks the model for one piece; the request is on its way when this returns.
std::unique_ptr<generator> make_outside_model(const sound_request& wish, const model_address& model);

} // namespace segue::http_generator
