// Packages without types of their own: only what prover/ calls.

declare module "wasmcurves" {
  import type { ModuleBuilder } from "wasmbuilder";
  export function buildBn128(module: ModuleBuilder): string;
}

declare module "wasmbuilder" {
  /** Bytes of WebAssembly code. */
  export type Code = number[];

  export class ModuleBuilder {
    modules: Record<string, { pG1gen: number; pG2gen: number }>;
    setMemory(pages: number): void;
    alloc(byteCount: number): number;
    addFunction(name: string): FunctionBuilder;
    exportFunction(name: string): void;
    build(): Uint8Array<ArrayBuffer>;
  }

  export class FunctionBuilder {
    addParam(name: string, type: "i32"): void;
    addLocal(name: string, type: "i32"): void;
    addCode(...code: Code[]): void;
    getCodeBuilder(): CodeBuilder;
  }

  export class CodeBuilder {
    call(name: string, ...args: Code[]): Code;
    getLocal(name: string): Code;
    setLocal(name: string, value: Code): Code;
    i32_const(value: number): Code;
    i32_load(at: Code, offset?: number): Code;
    i32_store(at: Code, value: Code): Code;
    i32_add(a: Code, b: Code): Code;
    i32_sub(a: Code, b: Code): Code;
    i32_mul(a: Code, b: Code): Code;
    i32_ge_u(a: Code, b: Code): Code;
    i32_eqz(a: Code): Code;
    if(condition: Code, whenTrue: Code, whenFalse?: Code): Code;
    block(code: Code): Code;
    loop(...code: Code[]): Code;
    br(depth: number): Code;
    br_if(depth: number, condition: Code): Code;
    unreachable(): Code;
  }
}

declare module "snarkjs" {
  type FileOrMemory = string | { type: "mem"; data?: Uint8Array };
  export interface SnarkjsLogger {
    info(text: string): void;
    debug(text: string): void;
    warn(text: string): void;
    error(text: string): void;
  }
  interface SnarkjsProof {
    pi_a: string[];
    pi_b: string[][];
    pi_c: string[];
    protocol: string;
    curve: string;
  }
  interface SnarkjsCurve {
    name: string;
    terminate(): Promise<void>;
  }

  export const curves: { getCurveFromName(name: string): Promise<SnarkjsCurve> };
  export const wtns: {
    calculate(inputs: object, wasmPath: string, output: FileOrMemory): Promise<void>;
  };
  export const groth16: {
    prove(
      zkey: FileOrMemory,
      witness: FileOrMemory,
      logger?: SnarkjsLogger,
    ): Promise<{ proof: SnarkjsProof; publicSignals: string[] }>;
    verify(
      verificationKey: object,
      publicSignals: string[],
      proof: object,
      logger?: SnarkjsLogger,
    ): Promise<boolean>;
  };
  export const powersOfTau: {
    newAccumulator(
      curve: SnarkjsCurve,
      power: number,
      path: string,
      logger?: SnarkjsLogger,
    ): Promise<unknown>;
    contribute(
      from: string,
      to: string,
      name: string,
      entropy: string,
      logger?: SnarkjsLogger,
    ): Promise<unknown>;
    verify(path: string, logger?: SnarkjsLogger): Promise<boolean>;
    preparePhase2(from: string, to: string, logger?: SnarkjsLogger): Promise<unknown>;
  };
  export const zKey: {
    newZKey(r1cs: string, ptau: string, zkey: string, logger?: SnarkjsLogger): Promise<Uint8Array | -1>;
    contribute(
      from: string,
      to: string,
      name: string,
      entropy: string,
      logger?: SnarkjsLogger,
    ): Promise<Uint8Array>;
    beacon(
      from: string,
      to: string,
      name: string,
      beaconHex: string,
      iterationsExp: number,
      logger?: SnarkjsLogger,
    ): Promise<Uint8Array | false>;
    verifyFromR1cs(r1cs: string, ptau: string, zkey: string, logger?: SnarkjsLogger): Promise<boolean>;
  };
}
