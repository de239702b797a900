/** SHA-256 of bytes as hexadecimal digits: a row's digest is its name in a host's store. */
import { hash } from "node:crypto";

export const sha256Hex = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");
