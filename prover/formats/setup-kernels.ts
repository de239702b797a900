/**
 * WebAssembly loop that the making of development keys adds to wasmcurves' bn128 module, for speed. A loop in JavaScript over
 * wasmcurves' exports gives the same results; this one saves the calls.
 */

import type { Code, CodeBuilder, ModuleBuilder } from "wasmbuilder";

const scalarBytes = 32;

/** Bytes of one entry of a zkey's coefficient section: matrix, constraint, wire, value. */
export const coefficientBytes = 12 + scalarBytes;

/**
 * `qap_accumulate(pIn, n, first, wireCount, pLagrange, pA, pB, pC, pOut, pR3)`: for n constraints in the
 * r1cs file's form at pIn, of which the first has the index `first`,
 *
 *   A[wire] += coefficient * L[constraint], likewise B and C,
 *
 * and the A and B terms go to pOut as the zkey file has them (value times R^2, R = 2^256). L is in
 * Montgomery form, coefficients and sums are not: mul(plain, Montgomery) is plain. pR3 holds R^3.
 * Traps on a wire number that is not below wireCount.
 */
export function addQapAccumulate(module: ModuleBuilder): void {
  const f = module.addFunction("qap_accumulate");
  for (const param of ["pIn", "n", "constraint", "wireCount", "pL", "pA", "pB", "pC", "pOut", "pR3"])
    f.addParam(param, "i32");
  for (const local of ["terms", "wire", "pSum"]) f.addLocal(local, "i32");
  const c = f.getCodeBuilder();
  const get = (name: string) => c.getLocal(name);
  const at = (name: string, offset: number) => c.i32_add(c.getLocal(name), c.i32_const(offset));
  const move = (name: string, by: number) => c.setLocal(name, at(name, by));
  const product = c.i32_const(module.alloc(scalarBytes));

  const matrix = (sums: "pA" | "pB" | "pC", matrixIndex: number) => [
    ...c.setLocal("terms", c.i32_load(get("pIn"))),
    ...move("pIn", 4),
    ...whileNonZero(c, "terms", [
      c.setLocal("wire", c.i32_load(get("pIn"))),
      c.if(c.i32_ge_u(get("wire"), get("wireCount")), c.unreachable()),
      c.setLocal("pSum", c.i32_add(get(sums), c.i32_mul(get("wire"), c.i32_const(scalarBytes)))),
      c.call("frm_mul", at("pIn", 4), get("pL"), product),
      c.call("frm_add", get("pSum"), product, get("pSum")),
      ...(matrixIndex === 2
        ? []
        : [
            c.i32_store(get("pOut"), c.i32_const(matrixIndex)),
            c.i32_store(at("pOut", 4), get("constraint")),
            c.i32_store(at("pOut", 8), get("wire")),
            c.call("frm_mul", at("pIn", 4), get("pR3"), at("pOut", 12)),
            move("pOut", coefficientBytes),
          ]),
      move("pIn", 4 + scalarBytes),
    ]),
  ];
  f.addCode(
    whileNonZero(c, "n", [
      matrix("pA", 0),
      matrix("pB", 1),
      matrix("pC", 2),
      move("pL", scalarBytes),
      move("constraint", 1),
    ]),
  );
  module.exportFunction("qap_accumulate");
}

/** Repeats the body and counts the local down until it is zero. */
function whileNonZero(c: CodeBuilder, counter: string, body: Code[]): Code {
  return c.block(
    c.loop(
      c.br_if(1, c.i32_eqz(c.getLocal(counter))),
      body.flat(),
      c.setLocal(counter, c.i32_sub(c.getLocal(counter), c.i32_const(1))),
      c.br(0),
    ),
  );
}
