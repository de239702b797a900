/** `npm run fuzz`: hostile input for the native parts, under the compiler's sanitizers. The last line is JSON. */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz/fuzz.ts";

const USAGE = `npm run fuzz -- [--seed N] [--factor N]

Builds what is native under the sanitizers for addresses and undefined behaviour, and gives it 12,000 programs of witness
steps, 20,000 calls of the models' kernels and 6,000 damaged key and witness files. It ends with 1 at
the first report of a sanitizer. Needs g++ and its libasan.

--seed: another run, 1 unless told. --factor: so many times as much.`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    factor: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
const [seed, factor] = [Number(values.seed), Number(values.factor)];
if (values.help || !Number.isSafeInteger(seed) || seed < 0 || !(factor > 0 && factor <= 1_000)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
console.log(JSON.stringify(await fuzz({ seed, factor })));
