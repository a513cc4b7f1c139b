// Times fhirpath.js for benchmarks/fhirpath.py: jobs as JSON on standard input, [result, microseconds] of each on standard output.
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");

const { rounds, busy, jobs } = JSON.parse(require("fs").readFileSync(0, "utf8"));

function spent(evaluate, number) {
  const started = process.cpuUsage();
  for (let call = 0; call < number; call += 1) evaluate();
  const used = process.cpuUsage(started);
  return used.user + used.system;
}

function measured([resource, text]) {
  const compiled = fhirpath.compile(text, r4);
  const evaluate = () => compiled(resource);
  // What the first calls take is compiling: as many as a round has are found out after that.
  for (let used = 0; used < 25 * busy; ) used += spent(evaluate, 10);
  const number = Math.max(1, Math.ceil((busy * 100) / spent(evaluate, 100)));
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) best = Math.min(best, spent(evaluate, number) / number);
  return [evaluate(), best];
}

console.log(JSON.stringify(jobs.map(measured)));
