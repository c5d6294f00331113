# The two tests of the seed document as it has them, but for base URL and credentials.
set -euo pipefail
### Test 1: Generación Básica
curl -X POST $BASE/api/images/created_img \
  -H "Authorization: Bearer $API_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "prompt": "Ilustración infantil de una familia",
    "wp_post_id": 456,
    "run_id": "deep-lingual-test-001",
    "n": 1
  }'

# Esperar 5-10 segundos y verificar: here, until whoever runs this says so.
read -r

### Test 2: Verificar Estado de Subida
curl "$BASE/api/images/upload-status?wp_post_id=456&run_id=deep-lingual-test-001" \
  -H "Authorization: Bearer $API_TOKEN"
