#include "adapters/redis/scripts.hpp"

namespace segue::redis::scripts {

namespace {

/// Nothing below undoes what an earlier command has done, so that everything that can be wrong is looked at before the first:
/// an error behind that means that somebody else has changed our keys.
constexpr const char* commit_body = R"lua(
local words, at = ARGV, 1

local function take()
  at = at + 1
  return words[at - 1]
end

local epoch = take()
if epoch ~= '' and redis.call('GET', KEYS[1]) ~= epoch then
  return 'fenced'
end

local seen, wrong = 0, {}
local function expect(found)
  seen = seen + 1
  found = found or ''
  if found ~= take() then
    wrong[#wrong + 1] = tostring(seen)
    wrong[#wrong + 1] = found
  end
end

for _ = 1, tonumber(take()) do
  expect(redis.call('GET', take()))
end
for _ = 1, tonumber(take()) do
  local last = redis.call('XREVRANGE', take(), '+', '-', 'COUNT', 1)[1]
  expect(last and last[1])
end
if #wrong > 0 then
  return wrong
end

while at <= #words do
  local length = tonumber(take())
  redis.call(unpack(words, at, at + length - 1))
  at = at + length
end
return 'done'
)lua";

} // namespace

const script commit = std::string{"#!lua flags=no-cluster"} + commit_body;

const script commit_in_no_room = std::string{"#!lua flags=allow-oom,no-cluster"} + commit_body;

const script load_records = R"lua(#!lua flags=no-writes,no-cluster
local key, from = KEYS[1], ARGV[1]
local wanted, extra = tonumber(ARGV[3]), tonumber(ARGV[4])
local answer, size, newest = {'end'}, 0, math.max(wanted, 1)

local function add(entries)
  for _, entry in ipairs(entries) do
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2][2]
    from = '(' .. entry[1]
    newest = math.max(#entry[2][2] - extra, 1)
    size = size + newest
    if size > wanted then
      answer[1] = 'more'
      return false
    end
  end
  return true
end

if ARGV[2] == 'holding' then
  local entries = redis.call('XREVRANGE', key, from, '-', 'COUNT', 1)
  from = '-'
  if not add(entries) then
    return answer
  end
end

-- A few at a time, and no more than will be wanted if they are like the last one: what is read here is copied.
local count, entries
repeat
  count = math.max(1, math.min(16, math.floor((wanted - size) / newest) + 1))
  entries = redis.call('XRANGE', key, from, '+', 'COUNT', count)
  if not add(entries) then
    return answer
  end
until #entries < count
return answer
)lua";

const script load_row = R"lua(#!lua flags=no-writes,no-cluster
local id = redis.call('HGET', KEYS[1], ARGV[1])
return id and redis.call('GET', ARGV[2] .. id)
)lua";

const script take_lease = R"lua(#!lua flags=allow-oom,no-cluster
local holder, epoch = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) or ''
if holder and holder ~= ARGV[1] then
  return {'theirs', holder}
end
local taker = redis.call('GET', KEYS[3])
if ARGV[4] ~= 'anew' and taker and taker ~= ARGV[1] then
  return {'lost', taker}
end
if epoch ~= ARGV[3] then
  return {'moved', epoch}
end
if not holder or ARGV[4] ~= 'on' then
  redis.call('INCR', KEYS[2])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[3], ARGV[1])
return {'ours', redis.call('GET', KEYS[2])}
)lua";

const script release_lease = R"lua(#!lua flags=allow-oom,no-cluster
if redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('GET', KEYS[2]) == ARGV[2] then
  redis.call('DEL', KEYS[1])
  redis.call('INCR', KEYS[2])
end
return 'done'
)lua";

} // namespace segue::redis::scripts
