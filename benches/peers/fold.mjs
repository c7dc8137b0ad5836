// Folds a file of events, one JSON object a line, through a reducer; prints the loop's time and the state.
import { readFileSync } from "node:fs";

const [reducerFile, eventsFile] = process.argv.slice(2);
const reducer = (0, eval)(readFileSync(reducerFile, "utf8"));
const start = performance.now();
let state = reducer.$init();
for (const line of readFileSync(eventsFile, "utf8").split("\n")) {
  if (line === "") continue;
  const event = JSON.parse(line);
  const handler = reducer[event.type] ?? reducer.$any;
  state = handler(state, event) ?? state;
}
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, state }));
