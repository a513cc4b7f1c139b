// Does a job of benchmarks/peers.py with @medplum/core: maps and texts on standard input, what it took on standard output.
const { parseMappingLanguage, structureMapTransform } = require("@medplum/core");

const [map, content] = JSON.parse(require("fs").readFileSync(0, "utf8"))[process.argv[2]];
const parsed = parseMappingLanguage(map);

// Its transformer gives each result with its type, which FHIR has in the resource.
function run() {
  const { type, value } = structureMapTransform(parsed, [JSON.parse(content)])[0];
  return JSON.stringify({ resourceType: type, ...value });
}

function spent(number) {
  const started = process.cpuUsage();
  for (let call = 0; call < number; call += 1) run();
  const used = process.cpuUsage(started);
  return used.user + used.system;
}

const result = JSON.parse(run());
const first = process.cpuUsage();
for (let used = 0; used < 200000; ) used += spent(50);
const number = Math.max(1, Math.ceil(2000000 / spent(100)));
let best = Infinity;
for (let round = 0; round < 12; round += 1) best = Math.min(best, spent(number) / number);
const start = (first.user + first.system) / 1e6;
console.log(JSON.stringify({ result, start, text: best, memory: process.memoryUsage().rss / 1048576 }));
