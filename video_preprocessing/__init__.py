"""Everything about signals: media files, vocal separation, speech."""
