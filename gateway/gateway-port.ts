/** Port that a gateway listens on; the command line and the library have the same. */
export const GATEWAY_PORT = 8777;
