/**
 * What every shader here has: one arena of floats, and sixteen words of settings, which are counts, places or the bits
 * of a float. A place that is not there is `NONE`.
 */

/** Threads of a workgroup. */
export const GROUP = 64;
/** Workgroups along the first dimension where a second one is needed. */
export const GROUPS_ACROSS = 32_768;
/** Settings of one dispatch: uniform buffers are addressed in steps of 256 bytes. */
export const SETTINGS_BYTES = 256;

const frame = /* wgsl */ `
const NONE = 0xffffffffu;
const GROUP = ${GROUP}u;
@group(0) @binding(0) var<storage, read_write> arena: array<f32>;
@group(0) @binding(1) var<uniform> settings: array<vec4<u32>, 4>;
fn word(i: u32) -> u32 { return settings[i >> 2u][i & 3u]; }
fn real(i: u32) -> f32 { return bitcast<f32>(word(i)); }
`;

/** One thread a number: `body` has its index `i`; setting 0 is their count. */
export function perNumber(body: string, helpers = ""): string {
  return /* wgsl */ `${frame}${helpers}
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * ${GROUPS_ACROSS}u) * GROUP + lane;
  if (i >= word(0u)) { return; }
  ${body}
}`;
}

/** One workgroup a row: `body` has its index `row` and the thread's `lane`; setting 0 is the number of rows. */
export function perRow(body: string): string {
  return /* wgsl */ `${frame}
var<workgroup> lanes: array<f32, ${GROUP}>;
fn total(value: f32, lane: u32) -> f32 {
  lanes[lane] = value;
  workgroupBarrier();
  for (var width = GROUP / 2u; width > 0u; width >>= 1u) {
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
    workgroupBarrier();
  }
  let sum = lanes[0];
  workgroupBarrier();
  return sum;
}
fn largest(value: f32, lane: u32) -> f32 {
  lanes[lane] = value;
  workgroupBarrier();
  for (var width = GROUP / 2u; width > 0u; width >>= 1u) {
    if (lane < width) { lanes[lane] = max(lanes[lane], lanes[lane + width]); }
    workgroupBarrier();
  }
  let most = lanes[0];
  workgroupBarrier();
  return most;
}
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * ${GROUPS_ACROSS}u;
  if (row >= word(0u)) { return; }
  ${body}
}`;
}

/** Rows and columns of C that a workgroup of the product computes, and steps that it holds at once. */
export const TILE = 32;
const DEPTH = 16;

/**
 * C = A B or C += A B, any strides. Settings: rows, columns, depth; place, row stride and column stride of A, of B;
 * place and row stride of C; whether it adds. Each thread has four rows by four columns.
 */
export const multiplyShader = /* wgsl */ `${frame}
const TILE = ${TILE}u;
const DEPTH = ${DEPTH}u;
var<workgroup> left: array<vec4<f32>, ${(TILE * DEPTH) / 4}>;
var<workgroup> right: array<vec4<f32>, ${(TILE * DEPTH) / 4}>;
@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) at: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let rows = word(0u);
  let columns = word(1u);
  let depth = word(2u);
  let firstRow = group.y * TILE;
  let firstColumn = group.x * TILE;
  // Neighbours in memory go to neighbouring threads, whichever way the matrix lies.
  let aAlong = word(5u) == 1u;
  let bAlong = word(8u) == 1u;
  var sums: array<vec4<f32>, 4>;
  for (var start = 0u; start < depth; start += DEPTH) {
    for (var i = lane; i < TILE * DEPTH; i += GROUP) {
      let m = select(i % TILE, i / DEPTH, aAlong);
      let k = select(i / TILE, i % DEPTH, aAlong);
      var value = 0.0;
      if (firstRow + m < rows && start + k < depth) {
        value = arena[word(3u) + (firstRow + m) * word(4u) + (start + k) * word(5u)];
      }
      left[k * (TILE / 4u) + m / 4u][m & 3u] = value;
      let n = select(i / DEPTH, i % TILE, bAlong);
      let l = select(i % DEPTH, i / TILE, bAlong);
      value = 0.0;
      if (firstColumn + n < columns && start + l < depth) {
        value = arena[word(6u) + (start + l) * word(7u) + (firstColumn + n) * word(8u)];
      }
      right[l * (TILE / 4u) + n / 4u][n & 3u] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let a = left[k * (TILE / 4u) + at.y];
      let b = right[k * (TILE / 4u) + at.x];
      sums[0] += a.x * b;
      sums[1] += a.y * b;
      sums[2] += a.z * b;
      sums[3] += a.w * b;
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = firstRow + at.y * 4u + i;
      let column = firstColumn + at.x * 4u + j;
      if (row < rows && column < columns) {
        let to = word(9u) + row * word(10u) + column;
        arena[to] = sums[i][j] + select(0.0, arena[to], word(11u) != 0u);
      }
    }
  }
}`;
