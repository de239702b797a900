/** Models in a folder of this machine, as `FileSource`; servers, tunings and commands read bases by it. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type FileSource, unreadable } from "./byte-source.ts";

/** The files of a local folder. */
export function folderSource(folder: string): FileSource {
  return {
    name: folder,
    async open(file) {
      const path = join(folder, file);
      const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        if (error.code === "ENOTDIR")
          throw unreadable(
            folder,
            "it is a file: name its folder, where a GGUF file is called model.gguf",
            error,
          );
        throw unreadable(path, error.message, error);
      });
      if (handle === null) return null;
      const { size } = await handle.stat();
      return {
        name: path,
        byteLength: size,
        async read(at, byteLength) {
          if (at + byteLength > size) throw unreadable(path, `it ends at ${size}`);
          const bytes = new Uint8Array(byteLength);
          for (let have = 0; have < byteLength; ) {
            const { bytesRead } = await handle
              .read(bytes, have, byteLength - have, at + have)
              .catch((error: Error) => Promise.reject(unreadable(path, error.message, error)));
            if (bytesRead === 0) throw unreadable(path, "it became shorter");
            have += bytesRead;
          }
          return bytes;
        },
        close: () => handle.close(),
      };
    },
  };
}
