"""Makes the sample incident again, byte for byte: ``python -m sample_data.make OUT``."""
