-- SPDX-License-Identifier: Apache-2.0
-- The load: sends one request over and over, with other keys each time. Run by wrk for load.py.
--
--     wrk ... -s requests.lua URL -- TEMPLATE FIRST END RANDOM_MAX KEYS
--
-- TEMPLATE is a file with a whole HTTP request in which every SEQUENCE____ stands for the next
-- number of a sequence that goes from FIRST to below END and starts again, and every RANDOM______
-- for a random number below RANDOM_MAX or, unless KEYS is "-", for the next line of that file, again
-- and again. All have 12 digits, as long as their marks, so that Content-Length holds. A request
-- costs a few concatenations. The result is one line of JSON.

local pieces, kinds = {}, {}
local first, last, random_max
local sequence = 0
local keys, key_at = nil, 0
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

local function read_keys(path)
   keys = {}
   for line in io.lines(path) do keys[#keys + 1] = line end
end

local function random_key()
   if not keys then return format("%012d", random(0, random_max - 1)) end
   key_at = key_at % #keys + 1
   return keys[key_at]
end

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   parse(file:read("*a"))
   file:close()
   first = tonumber(arguments[2])
   last = tonumber(arguments[3]) - 1
   random_max = tonumber(arguments[4])
   if arguments[5] ~= "-" then read_keys(arguments[5]) end
   sequence = first
   math.randomseed(42)
end

function request()
   local slots = #kinds
   for i = 1, slots do
      out[2 * i - 1] = pieces[i]
      if kinds[i] == "S" then
         out[2 * i] = format("%012d", sequence)
         sequence = sequence == last and first or sequence + 1
      else
         out[2 * i] = random_key()
      end
   end
   out[2 * slots + 1] = pieces[slots + 1]
   return concat(out)
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(format(
      'RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"errors":%d,"refused":%d,' ..
      '"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}\n',
      summary.requests, summary.duration, summary.bytes,
      errors.connect + errors.read + errors.write + errors.timeout, errors.status,
      latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
