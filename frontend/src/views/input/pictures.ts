// A reader's picture as a data address: files as they are where the server can read them and they are small enough,
// else drawn anew, smaller. Nothing of the page runs what is in a file.

/** The edge to which a larger photo is reduced before it is sent: many times what a model takes. */
const LARGEST_EDGE = 1024;
const SENT_AS_THEY_ARE = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const LARGEST_FILE = 1_500_000;

/** Whether a file can be tried as a picture; SVG is a document and may hold scripts, so it is not. */
export function isPicture(file: File): boolean {
  return file.type.startsWith("image/") && file.type !== "image/svg+xml";
}

/** The first picture among dropped or pasted things. */
export function pictureIn(data: DataTransfer | null): File | null {
  return [...(data?.files ?? [])].find(isPicture) ?? data?.files[0] ?? null;
}

/**
 * A file as a data address.
 *
 * Throws an Error with an empty message where the browser cannot read it as a picture.
 */
export async function readPicture(file: File): Promise<string> {
  if (!isPicture(file)) throw new Error("");
  const address = await dataAddress(file);
  const picture = await load(address);
  const edge = Math.max(picture.naturalWidth, picture.naturalHeight);
  if (SENT_AS_THEY_ARE.includes(file.type) && file.size <= LARGEST_FILE && edge <= LARGEST_EDGE) return address;
  const scale = Math.min(1, LARGEST_EDGE / edge);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

function dataAddress(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error(""));
    reader.readAsDataURL(file);
  });
}

function load(address: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => resolve(picture);
    picture.onerror = () => reject(new Error(""));
    picture.src = address;
  });
}
