/** What systems and tools leave in folders: the table of core/formats/ignored_names.json. A test compares them. */
export const IGNORED_NAMES = [
  {
    "one": "a system file",
    "many": "system files",
    "files": [".ds_store", "._*", "icon\r", "icon\uf00d", ".localized", ".directory", ".apdisk", ".volumeicon.icns", ".metadata_never_index", ".hidden", ".nomedia", ".mediaid", ".database_uuid", "thumbs.db", "thumbs.db:*", "ehthumbs*.db", "*.ini", ".picasa.ini", "zbthumbnail.info", "pspbrwse.jbf", ".bridgesort", ".bridgelabelsandratings", "cachedir.tag", "indexervolumeguid", "wpsettings.dat", ".fuse_hidden*", "*:zone.identifier", ".nfs????????*", ".gitkeep", ".gitignore", ".gitattributes"],
    "folders": ["__macosx", ".fseventsd", ".spotlight-v100", ".temporaryitems", ".documentrevisions-v100", ".pkinstallsandboxmanager*", ".appledouble", ".appledb", ".appledesktop", "network trash folder", "temporary items", "system volume information", "lost+found"]
  },
  {
    "one": "a file in a recycle bin",
    "many": "files in recycle bins",
    "files": [".trashed-*"],
    "folders": ["$recycle.bin", "recycler", "recycled", ".trash*", ".globaltrash", "#recycle", "@recycle", ".recycle*", ".dtrash", ".synctrash"]
  },
  {
    "one": "a file of a network drive",
    "many": "files of a network drive",
    "files": ["*@synoeastream", "*@synoresource", "synophoto_thumb_*", "synophoto_film_*", "synofile_thumb_*"],
    "folders": ["@eadir", "@tmp", "@sharebin", "@__thumb", ".@__thumb", ".@upload_cache", "#snapshot", ".snapshot", ".snapshots", "~snapshot", "@recently-snapshot", ".zfs", ".qsync"]
  },
  {
    "one": "an older version",
    "many": "older versions",
    "files": ["*.*_original", "*.bak", "*.orig", "*.*~"],
    "folders": [".stversions", ".picasaoriginals", ".dropbox.cache", ".sync", ".syncarchive", "*.lrdata", ".owncloud_versions", "files_versions"]
  },
  {
    "one": "a file in a cache",
    "many": "files in caches",
    "files": [".dropbox", ".bridgecache*", ".dropbox.attr", ".stignore", ".owncloudsync.log*", ".nextcloudsync.log*", "._sync_*.db*", ".sync_*.db*", "digikam4.db", "thumbnails-digikam.db"],
    "folders": [".thumbnails", ".thumbs", ".tmb", ".xvpics", ".cache", ".bridgecache*", ".stfolder*", ".ipynb_checkpoints", "__pycache__", ".git", ".svn", ".hg", ".bzr", ".idea", ".vscode"]
  },
  {
    "one": "an unfinished copy or download",
    "many": "unfinished copies and downloads",
    "files": ["*.part", "*.partial", "*.crdownload", "*.download", "*.downloading", "*.opdownload", ".com.google.chrome.*", "*.filepart", "*.incomplete", "*.aria2", "*.!ut", "*.!qb", "*.!bt", "*.!sync", "*.bc!", "*.dtapart", "*.fdmdownload", "*.tmp", "*.temp", ".syncthing.*", "~syncthing~*", "~$*", ".~lock.*", ".pending-*", ".goutputstream-*", "*.sb-????????-??????", ".*.~*", ".*.jpg.??????", ".*.jpeg.??????", ".*.png.??????", ".*.heic.??????", ".*.tif.??????", "*.swp"],
    "folders": ["*.download", ".~tmp~", ".rsync-partial", ".tmp.drivedownload", ".tmp.driveupload"]
  },
  {
    "one": "a sidecar file",
    "many": "sidecar files",
    "files": ["*.xmp", "*.json", "*.aae", "*.thm", "*.lrv", "*.pp3", "*.dop", "*.cos", "*.cot", "*.on1", "*.nksc", "*.acr", "*.arp", "*.vrd"],
    "folders": []
  }
];
