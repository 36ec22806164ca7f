// What this engine of WebAssembly can do.

// (module (func (result v128) i32.const 0 i8x16.splat i32.const 0 i8x16.splat i8x16.relaxed_swizzle))
const relaxed = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11,
);
// (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt))
const simd = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);

export const hasSimd = (): boolean => typeof WebAssembly === 'object' && WebAssembly.validate(simd);
export const hasRelaxedSimd = (): boolean => hasSimd() && WebAssembly.validate(relaxed);
