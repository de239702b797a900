/** The parts of circomlibjs 0.1.7 that this project uses; the package brings no types. */
declare module "circomlibjs" {
  /** A field element in circomlibjs' Montgomery form. */
  export type Element = Uint8Array;
  export type Point = [Element, Element];

  export interface Field {
    e(value: bigint | number | string): Element;
    toObject(element: Element): bigint;
    eq(a: Element, b: Element): boolean;
    isZero(a: Element): boolean;
    /** Writes the standard form, little-endian. */
    toRprLE(bytes: Uint8Array, offset: number, element: Element): void;
  }

  export interface Poseidon {
    (inputs: (bigint | Element)[], initialState?: bigint, outputCount?: 1): Element;
    F: Field;
  }
  export function buildPoseidon(): Promise<Poseidon>;
  export function buildPoseidonReference(): Promise<Poseidon>;

  export interface BabyJub {
    F: Field;
    Base8: Point;
    subOrder: bigint;
    addPoint(a: Point, b: Point): Point;
    mulPointEscalar(base: Point, scalar: bigint): Point;
    inSubgroup(point: Point): boolean;
    inCurve(point: Point): boolean;
  }
  export function buildBabyjub(): Promise<BabyJub>;

  export interface EddsaSignature {
    R8: Point;
    S: bigint;
  }
  export interface Eddsa {
    F: Field;
    babyJub: BabyJub;
    prv2pub(secret: Uint8Array): Point;
    signPoseidon(secret: Uint8Array, message: Element): EddsaSignature;
    verifyPoseidon(message: Element, signature: EddsaSignature, key: Point): boolean;
  }
  export function buildEddsa(): Promise<Eddsa>;
}
