export async function openShared(_shared: string): Promise<boolean> {
  return false;
}
export async function shareLink(_view: string): Promise<boolean> {
  return false;
}
