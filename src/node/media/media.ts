/** Stub. @module */
export function mediaTypeOf(_p: string): string | undefined {
  return undefined;
}
export function isPlayable(_p: string): boolean {
  return false;
}
