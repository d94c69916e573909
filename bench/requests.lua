-- SPDX-License-Identifier: Apache-2.0
-- The load: sends one request over and over, with other keys each time. Run by wrk for stand.py.
--
--     wrk ... -s requests.lua URL -- TEMPLATE SEQUENCE_MAX RANDOM_MAX
--
-- TEMPLATE is a file with a whole HTTP request in which every SEQUENCE____ stands for the next
-- number of a sequence that starts again after SEQUENCE_MAX, and every RANDOM______ for a random
-- number below RANDOM_MAX; both are 12 digits, as long as their marks, so that Content-Length holds.
-- A request costs a few concatenations. The result is one line of JSON.

local pieces, kinds = {}, {}
local sequence_max, random_max
local sequence = 0
local format, random, concat = string.format, math.random, table.concat
local out = {}

local function next_mark(text, position)
   local sequence_at = text:find("SEQUENCE____", position, true)
   local random_at = text:find("RANDOM______", position, true)
   if not sequence_at or not random_at then return sequence_at or random_at end
   return math.min(sequence_at, random_at)
end

local function parse(text)
   local position = 1
   local at = next_mark(text, position)
   while at do
      pieces[#pieces + 1] = text:sub(position, at - 1)
      kinds[#kinds + 1] = text:sub(at, at)
      position = at + 12
      at = next_mark(text, position)
   end
   pieces[#pieces + 1] = text:sub(position)
end

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   parse(file:read("*a"))
   file:close()
   sequence_max = tonumber(arguments[2])
   random_max = tonumber(arguments[3])
   math.randomseed(42)
end

function request()
   local slots = #kinds
   for i = 1, slots do
      out[2 * i - 1] = pieces[i]
      if kinds[i] == "S" then
         out[2 * i] = format("%012d", sequence)
         sequence = sequence + 1
         if sequence == sequence_max then sequence = 0 end
      else
         out[2 * i] = format("%012d", random(0, random_max - 1))
      end
   end
   out[2 * slots + 1] = pieces[slots + 1]
   return concat(out)
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(format(
      'RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"errors":%d,"refused":%d,' ..
      '"p50_us":%d,"p90_us":%d,"p99_us":%d}\n',
      summary.requests, summary.duration, summary.bytes,
      errors.connect + errors.read + errors.write + errors.timeout, errors.status,
      latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
