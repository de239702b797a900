/** A file as a data: address, which the pages' build makes. */
declare module "*.wasm?url&inline" {
  const address: string;
  export default address;
}
