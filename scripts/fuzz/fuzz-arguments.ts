/** Fuzzes the native addons with arguments of wrong types: each call must be refused by an error. fuzz-child.ts runs it. */
import type { KernelAddon } from "./fuzz-kernels.ts";
import type { StepsAddon } from "./fuzz-steps.ts";

const ODD: readonly unknown[] = [
  undefined,
  null,
  1,
  "x",
  {},
  [],
  Symbol("s"),
  () => 0,
  1n,
  new ArrayBuffer(8),
  new Float64Array(4),
  new DataView(new ArrayBuffer(8)),
];

/** @throws Error if something is taken */
export function fuzzArguments(steps: StepsAddon, kernels: KernelAddon): { wrongArguments: number } {
  let wrongArguments = 0;
  const refuses = (call: () => unknown) => {
    wrongArguments += 1;
    try {
      call();
    } catch {
      return;
    }
    throw new Error(`wrong argument ${wrongArguments} is taken`);
  };
  for (const odd of ODD as never[]) {
    refuses(() => steps.load(odd));
    refuses(() => steps.run(odd, Buffer.alloc(32), Buffer.alloc(0), Buffer.alloc(0)));
    refuses(() => kernels.add!(0, odd, 0, 0, 0));
    refuses(() => kernels.add!(odd, odd, 0, 0, 0));
  }
  return { wrongArguments };
}
