/** Source of a WebGPU kernel of the prover: puts bindings and entry point around a WGSL body. */
import { type Access, groupSize, type Kernel } from "./gpu-device.ts";

/** Buffer of a kernel: its name, the kernel's access to it, and its WGSL type. */
type Binding = readonly [name: string, access: Access, type: string];

/**
 * Makes a kernel of its parts, WGSL text each. `thread` is the index of the invocation, also where a dispatch has two
 * dimensions; `local` is its place in the workgroup, `group` the workgroup's index.
 */
export function makeKernel(
  name: string,
  bindings: readonly Binding[],
  functions: string,
  body: string,
): Kernel {
  const spaces = { read: "storage, read", write: "storage, read_write", uniform: "uniform" } as const;
  const declarations = bindings.map(
    ([label, access, type], i) => `@group(0) @binding(${i}) var<${spaces[access]}> ${label}: ${type};`,
  );
  const source = `${declarations.join("\n")}
${functions}
@compute @workgroup_size(${groupSize})
fn main(
  @builtin(workgroup_id) groupId: vec3<u32>,
  @builtin(num_workgroups) groupCounts: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let group = groupId.y * groupCounts.x + groupId.x;
  let thread = group * ${groupSize}u + local;
${body}
}
`;
  return { name, source, bindings: bindings.map(([, access]) => access) };
}
