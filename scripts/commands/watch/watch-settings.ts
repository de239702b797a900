/** Settings of a watcher beside the options of `openledger watch`: WATCH_… in its environment. */
import { type Settings, SHARED_SETTINGS } from "@openledger/foundation/settings";

/**
 * Not the shared setting of this name: a watcher on an operator's machine writes to the operator's database only where it is told to
 * (docs/adr/0016-work-that-processes-share.md).
 */
export const WATCH_SETTINGS = {
  databaseUrl: {
    schema: SHARED_SETTINGS.databaseUrl.schema,
    isSecret: true,
    description: "PostgreSQL database in which several watchers share their tasks; none = in its own folder",
  },
} as const satisfies Settings;
