import type { Code, CodeBuilder, ModuleBuilder } from "wasmbuilder";

/**
 * WebAssembly loops that the development setup adds to wasmcurves' bn128 module. A loop in JavaScript
 * over wasmcurves' exports gives the same results; these save the calls, and the affine additions below
 * cost about 6 field multiplications instead of the 11 of `g1m_addMixed`.
 */

const scalarBytes = 32;

/** Bytes of one entry of a zkey's coefficient section: matrix, constraint, wire, value. */
export const coefficientBytes = 12 + scalarBytes;

/**
 * `<group>_fixedBaseWindow(pTable, pScalars, shift, mask, n, pAcc, pPairs, pDen, pPrefix)`:
 * acc[i] += table[digit(i)] in affine coordinates, for n scalars, with one inversion for all.
 *
 * digit(i) = (load32(pScalars + 32 i) >> shift) & mask. Callers move pScalars to the digit's byte.
 * pTable holds 2^window affine points, entry 0 unused. Scratch: pPairs 8 n bytes, pDen n and pPrefix
 * n + 1 field elements.
 *
 * Assumes unsigned digits taken from the lowest window upwards of scalars below the group's order: then
 * acc = a G and table entry = t G have 0 < a < t and a + t < r, so neither a doubling nor an inverse pair
 * can occur and the denominator is never zero. acc = (0, 0) is the point at infinity.
 */
export function addFixedBaseWindow(
  module: ModuleBuilder,
  group: "g1m" | "g2m",
  field: "f1m" | "f2m",
  fieldBytes: number,
): void {
  const f = module.addFunction(`${group}_fixedBaseWindow`);
  for (const param of ["pTable", "pScalars", "shift", "mask", "n", "pAcc", "pPairs", "pDen", "pPrefix"])
    f.addParam(param, "i32");
  for (const local of ["digit", "pT", "count"]) f.addLocal(local, "i32");
  const c = f.getCodeBuilder();
  const get = (name: string) => c.getLocal(name);
  const at = (name: string, offset: number) => c.i32_add(c.getLocal(name), c.i32_const(offset));
  const move = (name: string, by: number) => c.setLocal(name, at(name, by));
  const inverse = c.i32_const(module.alloc(fieldBytes));
  const slope = c.i32_const(module.alloc(fieldBytes));
  const x3 = c.i32_const(module.alloc(fieldBytes));
  const difference = c.i32_const(module.alloc(fieldBytes));
  const pointBytes = 2 * fieldBytes;

  f.addCode(
    c.call(`${field}_one`, get("pPrefix")),
    whileNonZero(c, "n", [
      c.setLocal("digit", c.i32_and(c.i32_shr_u(c.i32_load(get("pScalars")), get("shift")), get("mask"))),
      c.if(get("digit"), [
        ...c.setLocal("pT", c.i32_add(get("pTable"), c.i32_mul(get("digit"), c.i32_const(pointBytes)))),
        ...c.if(
          c.call(`${group}_isZeroAffine`, get("pAcc")),
          c.call(`${group}_copyAffine`, get("pT"), get("pAcc")),
          [
            c.i32_store(get("pPairs"), get("pAcc")),
            c.i32_store(at("pPairs", 4), get("pT")),
            c.call(`${field}_sub`, get("pT"), get("pAcc"), get("pDen")),
            c.call(`${field}_mul`, get("pPrefix"), get("pDen"), at("pPrefix", fieldBytes)),
            move("pPairs", 8),
            move("pDen", fieldBytes),
            move("pPrefix", fieldBytes),
            move("count", 1),
          ].flat(),
        ),
      ]),
      move("pScalars", scalarBytes),
      move("pAcc", pointBytes),
    ]),
    c.call(`${field}_inverse`, get("pPrefix"), inverse),
    whileNonZero(c, "count", [
      move("pPairs", -8),
      move("pDen", -fieldBytes),
      move("pPrefix", -fieldBytes),
      c.setLocal("pAcc", c.i32_load(get("pPairs"))),
      c.setLocal("pT", c.i32_load(get("pPairs"), 4)),
      // slope = (yT - y) / (xT - x)
      c.call(`${field}_mul`, inverse, get("pPrefix"), slope),
      c.call(`${field}_mul`, inverse, get("pDen"), inverse),
      c.call(`${field}_sub`, at("pT", fieldBytes), at("pAcc", fieldBytes), difference),
      c.call(`${field}_mul`, slope, difference, slope),
      // x3 = slope^2 - x - xT, y3 = slope (x - x3) - y
      c.call(`${field}_square`, slope, x3),
      c.call(`${field}_sub`, x3, get("pAcc"), x3),
      c.call(`${field}_sub`, x3, get("pT"), x3),
      c.call(`${field}_sub`, get("pAcc"), x3, difference),
      c.call(`${field}_mul`, slope, difference, difference),
      c.call(`${field}_sub`, difference, at("pAcc", fieldBytes), at("pAcc", fieldBytes)),
      c.call(`${field}_copy`, x3, get("pAcc")),
    ]),
  );
  module.exportFunction(`${group}_fixedBaseWindow`);
}

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
