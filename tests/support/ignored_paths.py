"""Paths of files that systems and tools leave in folders, by kind, and of files that count."""

IGNORED = {
    "a system file": [
        "THUMBS.DB",
        "a/ehthumbs_vista.db",
        "Icon\r",
        "a/desktop.INI",
        "a.jpg:Zone.Identifier",
        ".picasa.ini",
        "._a.jpg",
        ".nomedia",
        "__MacOSX/a.jpg",
        "a/.Spotlight-V100/b.jpg",
    ],
    "a file in a recycle bin": [
        "$Recycle.Bin/S-1/$R1.jpg",
        "a/.Trash-1000/files/b.jpg",
        "#recycle/a.jpg",
        ".trashed-1-a.jpg",
    ],
    "a file of a network drive": ["@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", ".@__thumb/a.jpg", "#snapshot/b/c.jpg"],
    "an older version": [".stversions/a~1.jpg", ".picasaoriginals/a.jpg", "a.jpg_original", "Photos.lrdata/1.jpg"],
    "a file in a cache": [".thumbnails/1.jpg", "a/.ipynb_checkpoints/a-checkpoint.jpg", ".git/a.png", "a/.BridgeCache"],
    "an unfinished copy or download": [
        "c.JPG.part",
        "b.jpg.crdownload",
        ".com.google.Chrome.aBc123",
        ".syncthing.b.jpg.tmp",
        "~$a.jpg",
        "a.jpg.download/a.jpg",
        ".a.jpg.Xy12Ab",
    ],
    "a sidecar file": ["a.jpg.XMP", "a.jpg.supplemental-metadata.json", "a.aae", "A.THM", "a.LRV"],
}
COUNTED = [
    ".hidden.jpg",
    "thumbs.db.jpg",
    "a.part.jpg",
    "json.jpg",
    "Trash/a.jpg",
    "DS_Store",
    ".DS_Store/a.jpg",
    "icon.jpg",
    "a/~b.jpg",
    "eaDir/a.jpg",
    "note.txt",
]
SOME_PATHS = [*(path for paths in IGNORED.values() for path in paths), *COUNTED]
