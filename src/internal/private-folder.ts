/** Folder for files of ours in an upload directory. No upload ID names it. */
export const privateFolder = '.tuskd';
