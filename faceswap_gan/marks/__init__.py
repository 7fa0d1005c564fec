"""What says that a picture is synthetic: signed credentials, a watermark in the pixels, a visible label."""
