// Every message between actors. Requests are `verb_noun`, replies `noun_past`. `interfaces.hpp` says who answers what.
#pragma once

#include "actors/errors.hpp"
#include "actors/messages/access.hpp"
#include "actors/messages/generations.hpp"
#include "actors/messages/log.hpp"
#include "actors/messages/nodes.hpp"
#include "actors/messages/objects.hpp"
#include "actors/messages/operations.hpp"
#include "actors/messages/transfers.hpp"
