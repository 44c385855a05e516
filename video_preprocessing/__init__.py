"""Everything about signals: media files, vocal isolation, speech."""
