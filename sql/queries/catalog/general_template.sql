-- The prompt template of articles whose category has none of its own.
SELECT prompt_template FROM catalog_settings
