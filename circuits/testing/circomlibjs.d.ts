/** The parts of circomlibjs 0.1.7 that tests and a bench compare with; the package brings no types. */
declare module "circomlibjs" {
  /** A field element in circomlibjs' Montgomery form. */
  export type Element = Uint8Array;
  export type Point = [Element, Element];
  export interface Field {
    e(value: bigint | number | string): Element;
    toObject(element: Element): bigint;
  }
  export interface Poseidon {
    (inputs: (bigint | Element)[], initialState?: bigint, outputCount?: 1): Element;
    F: Field;
  }
  export function buildPoseidon(): Promise<Poseidon>;
  export interface Eddsa {
    F: Field;
    prv2pub(secret: Uint8Array): Point;
    signPoseidon(secret: Uint8Array, message: Element): { R8: Point; S: bigint };
    verifyPoseidon(message: Element, signature: { R8: Point; S: bigint }, key: Point): boolean;
  }
  export function buildEddsa(): Promise<Eddsa>;
}
