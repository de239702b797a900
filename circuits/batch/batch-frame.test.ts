import { expect, it } from "vitest";
import { compileCircuit } from "../compiler/compile.ts";

const compile = (shape: string) =>
  compileCircuit({
    name: `batch-frame-${shape.replaceAll(/\W+/g, "-")}`,
    mainSource: `pragma circom 2.1.6;\ninclude "circuits/batch/batch-frame.circom";\ncomponent main = BatchFrame(${shape});\n`,
  });

// An odd last narrow core would be in no element: its slot would be executed and not posted.
it.each(["1, 1, 1", "1, 3, 1", "1, 2, 0", "9, 2, 1", "0, 2, 1", "1, 65534, 2"])(
  "BatchFrame(%s) does not compile",
  async (shape) => {
    await expect(compile(shape)).rejects.toMatchObject({ code: "CIR_COMPILE_FAILED" });
  },
);

it("compiles the smallest shapes", async () => {
  for (const shape of ["1, 0, 1", "1, 2, 1"]) await compile(shape);
});
